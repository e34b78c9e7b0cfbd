"""A stroke is kept as the boxes that it changed, and brings every voxel back."""

from __future__ import annotations

import numpy as np
import pytest
import slicer

from MedSegAI.Bridge.layer_changes import layer_changes, write_layers
from MedSegAI.Bridge.segment_surfaces import CLOSED_SURFACE, create_surfaces
from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, segmentation_to_node
from MedSegAI.Logic.geometry import Box


@pytest.fixture
def a_node(a_scene, some_labels, a_table):
    return segmentation_to_node(some_labels, a_table, a_scene, name="hippocampi")


def state_of(node):
    state = slicer.vtkSegmentation()
    state.DeepCopy(node.GetSegmentation())
    return state


def read(node, some_labels):
    return node_to_segmentation(node, grid=some_labels.grid)[0].array.copy()


def paint(node, some_labels, box, value):
    array = read(node, some_labels)
    array[box.slices] = value
    update_segments(node, some_labels.with_array(array))


@pytest.mark.parametrize("box", [Box((3, 4, 5), (5, 8, 10)), Box((0, 0, 0), (1, 2, 1))], ids=["inside", "grows"])
def test_a_stroke_is_undone_and_redone_voxel_by_voxel(a_node, some_labels, box):
    before, was = state_of(a_node), read(a_node, some_labels)
    paint(a_node, some_labels, box, 7)
    after = read(a_node, some_labels)
    changes = layer_changes(before, state_of(a_node))
    assert sum(change.before.size for change in changes) <= np.prod(box.shape)
    write_layers(a_node.GetSegmentation(), changes, undone=True)
    assert np.array_equal(read(a_node, some_labels), was) and not np.array_equal(was, after)
    write_layers(a_node.GetSegmentation(), changes, undone=False)
    assert np.array_equal(read(a_node, some_labels), after)


def test_the_first_stroke_on_an_empty_segmentation_is_undone(a_scene, some_labels, a_table):
    node = segmentation_to_node(some_labels, a_table, a_scene, name="empty", box=Box.empty())
    before = state_of(node)
    paint(node, some_labels, Box((1, 1, 1), (3, 3, 3)), 3)
    changes = layer_changes(before, state_of(node))
    write_layers(node.GetSegmentation(), changes, undone=True)
    assert not read(node, some_labels).any()


def test_surfaces_are_made_again_with_the_voxels(a_node, some_labels):
    create_surfaces(a_node)
    before = state_of(a_node)
    paint(a_node, some_labels, Box((3, 4, 5), (5, 8, 10)), 0)
    write_layers(a_node.GetSegmentation(), layer_changes(before, state_of(a_node)), undone=True)
    assert a_node.GetSegmentation().ContainsRepresentation(CLOSED_SURFACE)


def test_where_nothing_was_changed_nothing_is_kept(a_node):
    assert layer_changes(state_of(a_node), state_of(a_node)) == ()


def test_where_a_segment_came_or_moved_the_boxes_do_not_tell_all(a_node):
    before = state_of(a_node)
    a_node.GetSegmentation().AddEmptySegment("mine", "mine")
    assert layer_changes(before, state_of(a_node)) is None


def test_another_lattice_is_no_change_of_voxels(a_node):
    before, after = state_of(a_node), state_of(a_node)
    after.GetNthSegment(0).GetRepresentation("Binary labelmap").SetOrigin(1.0, 2.0, 3.0)
    assert layer_changes(before, after) is None
