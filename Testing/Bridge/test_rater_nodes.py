"""Raters' outlines can be told apart, and one rater has one node."""

from __future__ import annotations

import numpy as np

from MedSegAI.Bridge.rater_nodes import rater_colour, rater_node, rater_to_node, shown_entry
from MedSegAI.Bridge.scene import load_scene, save_scene
from MedSegAI.Bridge.segmentation_copies import keep_unaltered_copy, unaltered_copy
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, segmentation_to_node
from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Logic.labels import LabelTable


def test_each_rater_has_outlines_of_one_colour_and_nothing_in_3d(a_scene, some_labels, a_table):
    scan = volume_to_node(some_labels, a_scene)
    options = {"entry": "abc", "number": 1}
    node = rater_to_node(some_labels, a_table, scan, rater="Ben", **options)
    segmentation, display = node.GetSegmentation(), node.GetDisplayNode()
    colours = {tuple(round(c, 2) for c in segmentation.GetNthSegment(n).GetColor()) for n in range(2)}
    assert colours == {rater_colour(1)} != {rater_colour(0)}
    assert not display.GetVisibility2DFill() and display.GetVisibility2DOutline() and not display.GetVisibility3D()
    assert rater_node(a_scene, "Ben") is node and shown_entry(node) == "abc" and rater_node(a_scene, "Ann") is None


def test_the_node_of_a_rater_takes_the_later_state(a_scene, some_labels, a_table):
    scan = volume_to_node(some_labels, a_scene)
    node = rater_to_node(some_labels, a_table, scan, rater="Ben", entry="a", number=0)
    changed = some_labels.with_array(np.where(some_labels.array == 3, np.uint8(0), some_labels.array))
    assert rater_to_node(changed, a_table, scan, rater="Ben", entry="b", number=0) is node
    assert shown_entry(node) == "b" and a_scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1
    assert np.array_equal(node_to_segmentation(node, grid=changed.grid)[0].array, changed.array)


def test_a_state_with_other_labels_gets_a_node_of_its_own(a_scene, some_labels, a_table):
    scan = volume_to_node(some_labels, a_scene)
    only = LabelTable(tuple(label for label in a_table if label.value == 7))
    seven = some_labels.with_array(np.where(some_labels.array == 7, np.uint8(7), np.uint8(0)))
    rater_to_node(seven, only, scan, rater="Ben", entry="a", number=0)
    later = rater_to_node(some_labels, a_table, scan, rater="Ben", entry="b", number=0)
    assert rater_node(a_scene, "Ben") is later
    assert a_scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1


def test_the_copy_of_a_segmentation_keeps_what_it_was_and_is_shown_nowhere(a_scene, some_labels, a_table):
    node = segmentation_to_node(some_labels, a_table, a_scene)
    assert unaltered_copy(node) is None
    copy = keep_unaltered_copy(node)
    image = node.GetSegmentation().GetNthSegment(0).GetRepresentation("Binary labelmap")
    image.GetPointData().GetScalars().Fill(0)
    image.Modified()
    assert unaltered_copy(node) is copy
    assert copy.GetHideFromEditors() and not copy.GetDisplayVisibility()
    kept = node_to_segmentation(copy, grid=some_labels.grid)[0].array
    assert kept.sum() > 0 == node_to_segmentation(node, grid=some_labels.grid)[0].array.sum()


def test_the_copy_stays_unseen_when_its_scene_is_opened_again(a_scene, some_labels, a_table, tmp_path):
    node = segmentation_to_node(some_labels, a_table, a_scene)
    keep_unaltered_copy(node)
    again = load_scene(save_scene(a_scene, tmp_path / "case.mrb"))
    came = again.mrml.GetNodeByID(node.GetID())
    assert came.GetDisplayVisibility() and not unaltered_copy(came).GetDisplayVisibility()
