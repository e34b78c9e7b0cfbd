"""The window through which a scan is shown is the one that was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Bridge.window_level import (
    Window,
    display_through,
    reset_window,
    set_window,
    window_of,
    window_of_voxels,
)


def test_a_window_stays_as_it_was_set_when_the_voxels_change(a_scene, a_small_scan):
    node = volume_to_node(a_small_scan, a_scene)
    set_window(node, Window(80.0, 40.0))
    node.GetImageData().GetPointData().GetScalars().Fill(900)
    node.GetImageData().Modified()
    assert window_of(node) == Window(80.0, 40.0)


def test_the_window_before_comes_back_when_slicer_chooses_again(a_scene, a_small_scan):
    node = volume_to_node(a_small_scan, a_scene)
    chosen_by_slicer = window_of(node)
    set_window(node, Window(1.0, -1000.0))
    reset_window(node)
    assert window_of(node) == chosen_by_slicer


def test_a_scan_without_a_display_gets_one(a_scene, a_small_scan):
    node = volume_to_node(a_small_scan, a_scene)
    node.SetAndObserveDisplayNodeID(None)
    assert window_of(node) is None
    set_window(node, Window(1500.0, -600.0))
    assert window_of(node) == Window(1500.0, -600.0)
    node.SetAndObserveDisplayNodeID(None)
    reset_window(node)
    assert window_of(node) is not None


def test_a_scan_can_come_into_the_scene_with_its_window_and_is_grey_as_any_other(a_scene, a_small_scan):
    usual = volume_to_node(a_small_scan, a_scene)
    node = volume_to_node(a_small_scan, a_scene, display=display_through(Window(350.0, 50.0)))
    assert window_of(node) == Window(350.0, 50.0)
    displays = [one.GetDisplayNode() for one in (usual, node)]
    assert displays[0].GetColorNodeID() == displays[1].GetColorNodeID() is not None
    assert displays[0].GetInterpolate() == displays[1].GetInterpolate()


def test_the_window_of_a_sample_is_close_to_the_one_that_slicer_chooses_from_all_voxels(a_scene, a_head):
    by_slicer, ours = window_of(volume_to_node(a_head, a_scene)), window_of_voxels(a_head.array)
    assert ours.width == pytest.approx(by_slicer.width, rel=0.05)
    assert ours.level == pytest.approx(by_slicer.level, rel=0.05)


def test_a_scan_of_one_value_has_a_window_too():
    window = window_of_voxels(np.full((3, 4, 5), 7, np.int16))
    assert window.width > 0 and window.level == 7.0
