"""A person's edit of the voxels is told from everything that leaves them as the model made them."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Bridge.scene import load_scene, save_scene
from MedSegAI.Bridge.segment_edits import is_edited, mark_as_made, segmentation_digest
from MedSegAI.Bridge.segment_layers import grow_layer, layer_voxels
from MedSegAI.Bridge.segment_surfaces import create_surfaces
from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Bridge.segmentation_nodes import BINARY_LABELMAP, segmentation_to_node
from MedSegAI.Logic.geometry import Box


@pytest.fixture
def a_segmentation(a_scene, some_labels, a_table):
    node = segmentation_to_node(some_labels, a_table, a_scene, name="hippocampi")
    mark_as_made(node)
    return node


def layer_of(node, key="odd"):
    return node.GetSegmentation().GetSegment(key).GetRepresentation(BINARY_LABELMAP)


def paint(node, index, value, key="odd"):
    image = layer_of(node, key)
    layer_voxels(image)[index] = value
    image.Modified()


def test_what_the_model_made_is_not_edited(a_segmentation):
    assert not is_edited(a_segmentation)
    assert len(segmentation_digest(a_segmentation)) == 40
    int(segmentation_digest(a_segmentation), 16)


def test_one_voxel_is_an_edit_and_undoing_it_is_none(a_segmentation):
    paint(a_segmentation, (0, 0, 0), 0)
    assert is_edited(a_segmentation)
    paint(a_segmentation, (0, 0, 0), 3)
    assert not is_edited(a_segmentation)


def test_a_voxel_given_from_one_segment_to_the_other_is_an_edit(a_segmentation):
    paint(a_segmentation, (0, 0, 0), 7)
    assert is_edited(a_segmentation)


def test_two_segments_that_change_places_are_an_edit(a_segmentation):
    voxels = layer_voxels(layer_of(a_segmentation))
    voxels[...] = np.where(voxels == 3, 7, np.where(voxels == 7, 3, 0))
    assert is_edited(a_segmentation)


def test_a_shape_that_moved_by_a_voxel_is_an_edit(a_scene, some_labels, a_table):
    moved = some_labels.with_array(np.roll(some_labels.array, 1, axis=2))
    digests = {segmentation_digest(segmentation_to_node(labels, a_table, a_scene)) for labels in (some_labels, moved)}
    assert len(digests) == 2


def test_names_colours_displays_surfaces_and_order_are_no_edits(a_segmentation):
    segmentation = a_segmentation.GetSegmentation()
    segmentation.GetSegment("odd").SetName("renamed")
    segmentation.GetSegment("odd").SetColor(1.0, 1.0, 1.0)
    a_segmentation.GetDisplayNode().SetSegmentVisibility("odd", False)
    create_surfaces(a_segmentation)
    segmentation.SetSegmentIndex("odd", 0)
    assert segmentation.GetNthSegmentID(0) == "odd"
    assert not is_edited(a_segmentation)


def test_extents_layers_and_empty_segments_are_no_edits(a_segmentation):
    grow_layer(layer_of(a_segmentation), Box((-2, -2, -2), (40, 40, 40)))
    a_segmentation.GetSegmentation().SeparateSegmentLabelmap("odd")
    a_segmentation.GetSegmentation().AddEmptySegment("mine")
    assert a_segmentation.GetSegmentation().GetNumberOfLayers() >= 2
    assert not is_edited(a_segmentation)
    a_segmentation.GetSegmentation().CollapseBinaryLabelmaps(False)
    assert not is_edited(a_segmentation)


def test_a_segment_that_was_removed_or_filled_is_an_edit(a_segmentation, some_labels):
    mine = a_segmentation.GetSegmentation().AddEmptySegment("mine")
    grow_layer(layer_of(a_segmentation, mine), Box((0, 0, 0), (2, 2, 2)))
    paint(a_segmentation, (0, 0, 0), a_segmentation.GetSegmentation().GetSegment(mine).GetLabelValue(), key=mine)
    assert is_edited(a_segmentation)
    a_segmentation.GetSegmentation().RemoveSegment(mine)
    assert not is_edited(a_segmentation)
    a_segmentation.GetSegmentation().RemoveSegment("odd")
    assert is_edited(a_segmentation)


def test_without_a_mark_any_voxel_is_somebodys_work(a_scene, some_labels, a_table):
    assert is_edited(segmentation_to_node(some_labels, a_table, a_scene))
    nothing = some_labels.with_array(np.zeros_like(some_labels.array))
    assert not is_edited(segmentation_to_node(nothing, a_table, a_scene))
    assert not is_edited(a_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "new"))


def test_a_rerun_is_an_edit_until_it_is_marked(a_segmentation, some_labels):
    some_labels.array[8, 8, 8] = 3
    update_segments(a_segmentation, some_labels)
    assert is_edited(a_segmentation)
    mark_as_made(a_segmentation)
    assert not is_edited(a_segmentation)


@pytest.mark.parametrize("apart", [False, True])
def test_mark_and_edit_survive_mrb(a_segmentation, a_scene, tmp_path, apart):
    if apart:
        a_segmentation.GetSegmentation().SeparateSegmentLabelmap("odd")
    create_surfaces(a_segmentation)
    opened = load_scene(save_scene(a_scene, tmp_path / "made.mrb"))
    made = opened.mrml.GetFirstNodeByName("hippocampi")
    assert not is_edited(made)
    paint(made, (0, 0, 0), 0, key="left_hippocampus")
    assert is_edited(made)
    edited = load_scene(save_scene(opened.mrml, tmp_path / "edited.mrb")).mrml.GetFirstNodeByName("hippocampi")
    assert is_edited(edited)
