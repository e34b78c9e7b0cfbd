"""Surfaces made a segment a step are those that Slicer makes in one go."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from vtkmodules.util.numpy_support import vtk_to_numpy

from MedSegAI.Bridge.graphics import gl_state
from MedSegAI.Bridge.segment_layers import layer_voxels
from MedSegAI.Bridge.segment_surfaces import CLOSED_SURFACE, create_surfaces, surface_steps
from MedSegAI.Bridge.segmentation_nodes import BINARY_LABELMAP, segmentation_to_node
from MedSegAI.Bridge.views import ThreeDView
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume
from Testing.Bridge.conftest import an_oblique_grid

TABLE = LabelTable(tuple(Label(v, f"s{v}", f"Segment {v}", (1.0, 0.2 * v, 0.0)) for v in (1, 2, 3, 4)))


@pytest.fixture
def some_labels():
    """Ragged, touching segments that reach the edge of the grid; segment 4 is empty."""
    rng = np.random.default_rng(1)
    blocks = np.kron(rng.integers(0, 4, (5, 6, 7)), np.ones((4, 3, 3))).astype(np.uint8)
    return Volume(blocks, an_oblique_grid(blocks.shape), name="labels")


def surfaces_of(node):
    segmentation = node.GetSegmentation()
    keys = [segmentation.GetNthSegmentID(number) for number in range(segmentation.GetNumberOfSegments())]
    return {key: segmentation.GetSegment(key).GetRepresentation(CLOSED_SURFACE) for key in keys}


def assert_same_surfaces(a, b):
    first, second = surfaces_of(a), surfaces_of(b)
    assert list(first) == list(second)
    for key in first:
        assert first[key].GetNumberOfPoints() == second[key].GetNumberOfPoints()
        if first[key].GetNumberOfPoints() == 0:
            continue
        for part in (
            lambda mesh: mesh.GetPoints().GetData(),
            lambda mesh: mesh.GetPointData().GetNormals(),
            lambda mesh: mesh.GetPolys().GetConnectivityArray(),
        ):
            np.testing.assert_array_equal(vtk_to_numpy(part(first[key])), vtk_to_numpy(part(second[key])))


@pytest.mark.parametrize("smoothing", [0.0, 0.5, 1.0])
def test_the_surfaces_are_those_of_slicer_to_the_bit(a_scene, some_labels, smoothing):
    at_once, in_steps = (segmentation_to_node(some_labels, TABLE, a_scene) for _ in range(2))
    create_surfaces(at_once, smoothing=smoothing)
    steps = sum(1 for _ in surface_steps(in_steps, smoothing=smoothing))
    assert steps >= len(TABLE)
    assert surfaces_of(in_steps)["s1"].GetNumberOfPoints() > 100
    assert_same_surfaces(at_once, in_steps)


def test_segments_in_layers_of_their_own_get_their_own_surfaces(a_scene, some_labels):
    at_once, in_steps = (segmentation_to_node(some_labels, TABLE, a_scene) for _ in range(2))
    create_surfaces(at_once)
    for label in TABLE:
        in_steps.GetSegmentation().SeparateSegmentLabelmap(label.key)
    assert in_steps.GetSegmentation().GetNumberOfLayers() == len(TABLE)
    for _ in surface_steps(in_steps):
        pass
    assert_same_surfaces(at_once, in_steps)


def test_nothing_shows_before_the_last_step_and_views_hear_of_it_once(a_scene, some_labels):
    node = segmentation_to_node(some_labels, TABLE, a_scene)
    heard = []
    for event in (slicer.vtkSegmentation.ContainedRepresentationNamesModified, slicer.vtkSegmentation.SegmentModified):
        node.AddObserver(event, lambda *_, event=event: heard.append(event))
    for _ in surface_steps(node):
        assert set(surfaces_of(node).values()) == {None}
        assert heard == []
    assert heard.count(slicer.vtkSegmentation.ContainedRepresentationNamesModified) == 1
    assert None not in surfaces_of(node).values()


def test_an_edit_between_two_steps_is_in_the_surfaces(a_scene, some_labels):
    node, edited = (segmentation_to_node(some_labels, TABLE, a_scene) for _ in range(2))
    for number, _ in enumerate(surface_steps(node)):
        if number == 2:
            image = node.GetSegmentation().GetSegment("s1").GetRepresentation(BINARY_LABELMAP)
            layer_voxels(image)[0:6] = 2
            image.Modified()
    image = edited.GetSegmentation().GetSegment("s1").GetRepresentation(BINARY_LABELMAP)
    layer_voxels(image)[0:6] = 2
    image.Modified()
    create_surfaces(edited)
    assert_same_surfaces(node, edited)


def test_a_segment_may_be_removed_and_one_added_between_two_steps(a_scene, some_labels):
    node = segmentation_to_node(some_labels, TABLE, a_scene)
    for number, _ in enumerate(surface_steps(node)):
        if number == 2:
            node.GetSegmentation().RemoveSegment("s1")
            node.GetSegmentation().AddEmptySegment("mine")
    assert set(surfaces_of(node)) == {"s2", "s3", "s4", "mine"}
    assert surfaces_of(node)["s3"].GetNumberOfPoints() > 100


def test_older_surfaces_are_replaced(a_scene, some_labels):
    node, other = (segmentation_to_node(some_labels, TABLE, a_scene) for _ in range(2))
    create_surfaces(node, smoothing=1.0)
    create_surfaces(other, smoothing=0.0)
    for _ in surface_steps(node, smoothing=0.0):
        pass
    assert_same_surfaces(node, other)


def test_segments_that_are_smoothed_together_are_made_in_one_step(a_scene, some_labels):
    at_once, in_steps = (segmentation_to_node(some_labels, TABLE, a_scene) for _ in range(2))
    for node in (at_once, in_steps):
        node.GetSegmentation().SetConversionParameter("Joint smoothing", "1")
    create_surfaces(at_once)
    assert sum(1 for _ in surface_steps(in_steps)) == 1
    assert_same_surfaces(at_once, in_steps)


def test_no_segments_are_refused_with_a_sentence_at_the_first_step(a_scene):
    node = a_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "nothing")
    steps = surface_steps(node)
    with pytest.raises(InputError, match="No surfaces could be made of 'nothing'"):
        next(steps)


@pytest.mark.skipif(not gl_state().usable, reason=gl_state().sentence)
def test_a_3d_view_that_is_open_meanwhile_shows_them_in_the_end(an_open_scene, some_labels):
    node = segmentation_to_node(some_labels, TABLE, an_open_scene.mrml)
    with ThreeDView(an_open_scene, size=(120, 120)) as view:
        view.look_from([0.0, -1.0, 0.0])
        empty = view.snapshot()
        for _ in surface_steps(node):
            view.snapshot()
            assert set(surfaces_of(node).values()) == {None}
        view.look_from([0.0, -1.0, 0.0])
        assert (np.abs(view.snapshot().astype(int) - empty).max(-1) > 30).sum() > 1000
