"""Segments that come and go one at a time, on real MRML."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Bridge.nodule_segments import (
    NoduleRecord,
    empty_segmentation,
    nodule_records,
    nodule_segment,
    put_segment,
    take_segment,
    voxel_stamps,
)
from MedSegAI.Bridge.scene import load_scene, new_scene, save_scene
from MedSegAI.Bridge.segment_rows import segment_rows
from MedSegAI.Bridge.segment_surfaces import CLOSED_SURFACE, create_surfaces
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, read_provenance
from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.inference.pointed_regions import labels_of_point
from MedSegAI.Logic.measure.nodule import measure_nodule
from MedSegAI.Logic.volume import Volume
from Testing.pointed_model import a_chest, pointed_card

CHEST = a_chest(shape=(30, 40, 50), spacing=(0.8, 0.8, 1.5))
PARTS = {1: Box((3, 4, 5), (13, 14, 20)), 2: Box((10, 12, 18), (22, 30, 30))}


def a_label(number):
    (label,) = labels_of_point(pointed_card(), number)
    return label


def voxels_of(number):
    whole = np.zeros(CHEST.grid.shape, np.uint8)
    inner = PARTS[number].grow(-2)
    whole[inner.slices] = number
    return whole


def a_segment(number, *, confidence=0.9):
    """A segment given on a part of the scan's grid only."""
    part = Volume(voxels_of(number), CHEST.grid).crop(PARTS[number])
    record = NoduleRecord(measure_nodule(part, number, CHEST), cut=number == 2)
    return nodule_segment(a_label(number), part, CHEST.grid, record=record, confidence=confidence)


@pytest.fixture
def a_node():
    scene = new_scene()
    node = empty_segmentation(volume_to_node(CHEST, scene.mrml), name="nodules")
    node.opened = scene
    return node


def test_each_segment_lies_where_it_lay_in_the_part_it_was_found_in(a_node):
    for number in (1, 2):
        put_segment(a_node, a_label(number).key, a_segment(number))
    labels, table = node_to_segmentation(a_node, grid=CHEST.grid)
    np.testing.assert_array_equal(labels.array, np.maximum(voxels_of(1), voxels_of(2)))
    assert [(label.key, label.value, label.name) for label in table] == [
        ("lung_nodule_1", 1, "Lung nodule 1"),
        ("lung_nodule_2", 2, "Lung nodule 2"),
    ]
    assert [row.confidence for row in segment_rows(a_node)] == [0.9, 0.9]
    assert segment_rows(a_node)[0].volume_ml == pytest.approx((voxels_of(1) > 0).sum() * CHEST.grid.voxel_volume_ml)


def test_a_segment_that_was_taken_out_comes_back_as_it_was(a_node):
    put_segment(a_node, "lung_nodule_1", a_segment(1))
    before = voxel_stamps(a_node)
    put_segment(a_node, "lung_nodule_2", a_segment(2))
    taken = take_segment(a_node, "lung_nodule_2")
    assert [row.key for row in segment_rows(a_node)] == ["lung_nodule_1"]
    assert voxel_stamps(a_node) == before, "the other's voxels were not touched"
    put_segment(a_node, "lung_nodule_2", taken)
    put_segment(a_node, "lung_nodule_2", taken)
    assert [row.key for row in segment_rows(a_node)] == ["lung_nodule_1", "lung_nodule_2"]
    np.testing.assert_array_equal(node_to_segmentation(a_node, grid=CHEST.grid)[0].array == 2, voxels_of(2) == 2)
    assert take_segment(a_node, "none") is None


def test_a_segment_joins_others_that_are_shown_in_3d(a_node):
    put_segment(a_node, "lung_nodule_1", a_segment(1))
    create_surfaces(a_node)
    put_segment(a_node, "lung_nodule_2", a_segment(2))
    surface = a_node.GetSegmentation().GetSegment("lung_nodule_2").GetRepresentation(CLOSED_SURFACE)
    assert surface is None or surface.GetNumberOfPolys() > 0
    assert a_node.GetSegmentation().GetSegment("lung_nodule_1").GetRepresentation(CLOSED_SURFACE) is not None


def test_segments_that_came_to_share_a_label_map_part_without_loss(a_node):
    for number in (1, 2):
        put_segment(a_node, a_label(number).key, a_segment(number))
    a_node.GetSegmentation().CollapseBinaryLabelmaps(False)
    taken = take_segment(a_node, "lung_nodule_1")
    np.testing.assert_array_equal(node_to_segmentation(a_node, grid=CHEST.grid)[0].array, voxels_of(2))
    put_segment(a_node, "lung_nodule_1", taken)
    np.testing.assert_array_equal(
        node_to_segmentation(a_node, grid=CHEST.grid)[0].array, np.maximum(voxels_of(1), voxels_of(2))
    )


def test_what_was_measured_survives_in_an_mrb(a_node, tmp_path):
    for number in (1, 2):
        put_segment(a_node, a_label(number).key, a_segment(number))
    records = nodule_records(a_node)
    assert (records["lung_nodule_1"].cut, records["lung_nodule_2"].cut) == (False, True)
    path = save_scene(a_node.GetScene(), tmp_path / "case.mrb")
    loaded = load_scene(path).mrml.GetFirstNodeByClass("vtkMRMLSegmentationNode")
    assert nodule_records(loaded) == records
    assert read_provenance(loaded) is None


def test_a_tag_that_cannot_be_read_is_no_record(a_node):
    segment = a_segment(1)
    put_segment(a_node, "lung_nodule_1", segment)
    segment.SetTag("MedSegAI.Nodule", "spoiled")
    assert nodule_records(a_node) == {}
