"""The table of segments: names, colours, volumes in the world and confidence, also after saving."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Bridge.scene import load_scene, save_scene
from MedSegAI.Bridge.segment_rows import segment_rows, write_confidence
from MedSegAI.Bridge.segmentation_nodes import segmentation_to_node
from MedSegAI.Bridge.transform_nodes import transform_to_node
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.segment_tags import CONFIDENCE_TAG
from Testing.Bridge.conftest import rotation


@pytest.fixture
def a_segmentation(a_scene, some_labels, a_table):
    some_labels.array[2, 3, 4] = 0
    return segmentation_to_node(some_labels, a_table, a_scene, name="hippocampi")


def test_a_row_says_what_a_segment_is_and_how_large(a_segmentation, some_labels, a_table):
    rows = segment_rows(a_segmentation)
    assert [row.key for row in rows] == [label.key for label in a_table]
    assert [row.name for row in rows] == [label.name for label in a_table]
    np.testing.assert_allclose([row.colour for row in rows], [label.colour for label in a_table], atol=1e-5)
    assert [row.voxels for row in rows] == [4 * 6 * 4 - 1, 4 * 6 * 4]
    for row in rows:
        assert row.volume_ml == pytest.approx(row.voxels * some_labels.grid.voxel_volume_ml)
        assert row.confidence is None
        assert row.visible


def test_an_empty_segment_has_no_volume_and_no_segments_no_rows(a_scene, a_segmentation):
    a_segmentation.GetSegmentation().AddEmptySegment("mine", "Mine")
    row = segment_rows(a_segmentation)[-1]
    assert (row.key, row.name, row.voxels, row.volume_ml) == ("mine", "Mine", 0, 0.0)
    assert segment_rows(a_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "nothing")) == ()


def test_volumes_follow_a_stretching_parent_transform(a_scene, a_segmentation):
    before = segment_rows(a_segmentation)
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(0.2, 0.3, 0.4) @ np.diag([2.0, 1.0, -1.5])
    a_segmentation.SetAndObserveTransformNodeID(transform_to_node(matrix, a_scene).GetID())
    after = segment_rows(a_segmentation)
    assert [row.volume_ml for row in after] == pytest.approx([3 * row.volume_ml for row in before])
    assert [row.voxels for row in after] == [row.voxels for row in before]


def test_hidden_segments_are_not_visible(a_segmentation):
    display = a_segmentation.GetDisplayNode()
    display.SetSegmentVisibility("odd", False)
    assert [row.visible for row in segment_rows(a_segmentation)] == [True, False]
    display.SetVisibility(False)
    assert [row.visible for row in segment_rows(a_segmentation)] == [False, False]


def test_confidence_is_kept_a_segment_and_an_older_figure_goes(a_segmentation):
    write_confidence(a_segmentation, {"left_hippocampus": 0.91237, "odd": 0.5, "removed meanwhile": 0.1})
    assert [row.confidence for row in segment_rows(a_segmentation)] == [pytest.approx(0.9124), 0.5]
    write_confidence(a_segmentation, {"odd": 1.0})
    assert [row.confidence for row in segment_rows(a_segmentation)] == [None, 1.0]


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
def test_a_confidence_that_is_none_is_refused_and_nothing_written(a_segmentation, value):
    with pytest.raises(InputError, match="confidence"):
        write_confidence(a_segmentation, {"left_hippocampus": 0.9, "odd": value})
    assert [row.confidence for row in segment_rows(a_segmentation)] == [None, None]


def test_a_tag_that_holds_no_confidence_is_none(a_segmentation):
    segmentation = a_segmentation.GetSegmentation()
    segmentation.GetSegment("odd").SetTag(CONFIDENCE_TAG, "high")
    segmentation.GetSegment("left_hippocampus").SetTag(CONFIDENCE_TAG, "7")
    assert [row.confidence for row in segment_rows(a_segmentation)] == [None, None]


def test_rows_survive_mrb(a_scene, a_segmentation, tmp_path):
    write_confidence(a_segmentation, {"left_hippocampus": 0.875})
    a_segmentation.GetDisplayNode().SetSegmentVisibility("odd", False)
    before = segment_rows(a_segmentation)
    opened = load_scene(save_scene(a_scene, tmp_path / "case.mrb"))
    assert_same_rows(segment_rows(opened.mrml.GetFirstNodeByName("hippocampi")), before)


def test_rows_survive_seg_nrrd(a_scene, a_segmentation, tmp_path):
    write_confidence(a_segmentation, {"left_hippocampus": 0.875})
    storage = a_segmentation.CreateDefaultStorageNode()
    storage.SetFileName(str(tmp_path / "result.seg.nrrd"))
    assert storage.WriteData(a_segmentation)
    loaded = a_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "loaded")
    loaded.CreateDefaultDisplayNodes()
    assert storage.ReadData(loaded)
    assert_same_rows(segment_rows(loaded), segment_rows(a_segmentation))


def assert_same_rows(rows, expected):
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected):
        assert (row.key, row.name, row.voxels, row.confidence, row.visible) == (
            (wanted.key, wanted.name, wanted.voxels, wanted.confidence, wanted.visible)
        )
        assert row.volume_ml == pytest.approx(wanted.volume_ml)
        np.testing.assert_allclose(row.colour, wanted.colour, atol=1e-5)
