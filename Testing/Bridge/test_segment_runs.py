"""The runs of a segment are exactly its voxels, whatever layers and extents Slicer keeps them in."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Bridge import segment_runs as module
from MedSegAI.Bridge.segment_layers import grow_layer
from MedSegAI.Bridge.segment_runs import box_of_runs, runs_in_steps, segment_runs
from MedSegAI.Bridge.segmentation_nodes import BINARY_LABELMAP, segmentation_to_node
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume
from Testing.Bridge.conftest import an_oblique_grid

TABLE = LabelTable(tuple(Label(v, f"s{v}", f"Segment {v}", (1.0, 0.5, 0.0)) for v in (1, 2, 5, 9)))


@pytest.fixture
def noise():
    """Every voxel at random one of three segments or background, with an empty border below."""
    array = np.random.default_rng(3).choice(np.array([0, 1, 2, 5], np.uint8), (9, 10, 11))
    array[:2] = 0
    return Volume(array, an_oblique_grid(array.shape), name="noise")


def filled(runs, shape):
    array = np.zeros(shape, bool)
    for k, j, start, stop in runs:
        array[k, j, start:stop] = True
    return array


def test_runs_are_the_voxels(a_scene, noise):
    runs = segment_runs(segmentation_to_node(noise, TABLE, a_scene))
    assert list(runs) == ["s1", "s2", "s5", "s9"]
    for label in TABLE:
        np.testing.assert_array_equal(filled(runs[label.key], noise.grid.shape), noise.array == label.value)
    assert runs["s9"].shape == (0, 4)


def test_runs_are_as_long_as_they_can_be_and_sorted(a_scene, noise):
    noise.array[5, 4, :] = 1
    runs = segment_runs(segmentation_to_node(noise, TABLE, a_scene))["s1"]
    assert [5, 4, 0, 11] in runs.tolist()
    assert runs.tolist() == sorted(runs.tolist())


def test_layers_and_extents_make_no_difference(a_scene, noise):
    node = segmentation_to_node(noise, TABLE, a_scene)
    before = segment_runs(node)
    for key in before:
        node.GetSegmentation().SeparateSegmentLabelmap(key)
    image = node.GetSegmentation().GetSegment("s2").GetRepresentation(BINARY_LABELMAP)
    grow_layer(image, Box((-3, -2, -1), (30, 31, 32)))
    assert node.GetSegmentation().GetNumberOfLayers() == 4
    after = segment_runs(node)
    for key in before:
        np.testing.assert_array_equal(before[key], after[key])


def test_the_box_of_runs_is_the_box_of_the_voxels(a_scene, noise):
    runs = segment_runs(segmentation_to_node(noise, TABLE, a_scene))
    assert box_of_runs(runs["s5"]) == Box.around(noise.array == 5)
    assert box_of_runs(runs["s9"]) is None


def test_no_segments_have_no_runs(a_scene):
    assert segment_runs(a_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "nothing")) == {}


def test_a_large_layer_takes_several_steps_and_gives_the_same(a_scene, noise, monkeypatch):
    node = segmentation_to_node(noise, TABLE, a_scene)
    whole = segment_runs(node)
    monkeypatch.setattr(module, "_VOXELS_A_STEP", 300)
    assert sum(1 for _ in runs_in_steps(node)) == 3
    in_steps = segment_runs(node)
    assert list(in_steps) == list(whole)
    for key in whole:
        np.testing.assert_array_equal(in_steps[key], whole[key])
