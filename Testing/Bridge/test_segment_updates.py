"""A new result changes the voxels it must, and nothing that the user added."""

from __future__ import annotations

import time

import numpy as np
import pytest
import slicer

from MedSegAI.Bridge.geometry import oriented_image
from MedSegAI.Bridge.segment_surfaces import create_surfaces
from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, segmentation_to_node
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.volume import Volume
from Testing.Bridge.conftest import an_oblique_grid


@pytest.fixture
def a_segmentation(a_scene, some_labels, a_table):
    return segmentation_to_node(some_labels, a_table, a_scene, name="hippocampi")


def read(node, some_labels):
    return node_to_segmentation(node, grid=some_labels.grid)[0].array


def changed(some_labels, box, value):
    array = some_labels.array.copy()
    array[box.slices] = value
    return some_labels.with_array(array)


def count_events(node):
    seen = []
    node.GetSegmentation().AddObserver(
        slicer.vtkSegmentation.SourceRepresentationModified, lambda *_: seen.append("changed")
    )
    return seen


def add_user_segment(node, some_labels, box):
    """A segment drawn by the user over ours, as Slicer's editor stores it."""
    node.GetSegmentation().AddEmptySegment("mine", "mine")
    mask = np.zeros(some_labels.grid.shape, np.uint8)
    mask[box.slices] = 1
    logic = slicer.vtkSlicerSegmentationsModuleLogic
    logic.SetBinaryLabelmapToSegment(oriented_image(mask, some_labels.grid), node, "mine", logic.MODE_REPLACE)
    return mask


def user_voxels(node, some_labels):
    labels, table = node_to_segmentation(node, grid=some_labels.grid)
    return labels.array == table.find("mine").value


def test_only_the_box_is_written_even_where_the_labels_differ_elsewhere(a_segmentation, some_labels):
    box = Box((3, 4, 5), (5, 8, 10))
    new = some_labels.with_array(np.full_like(some_labels.array, 7))

    update_segments(a_segmentation, new, box=box)

    expected = some_labels.array.copy()
    expected[box.slices] = 7
    np.testing.assert_array_equal(read(a_segmentation, some_labels), expected)


def test_the_segments_keep_their_identity_and_observers_hear_once(a_segmentation, some_labels):
    segmentation = a_segmentation.GetSegmentation()
    before = [segmentation.GetNthSegment(n) for n in range(2)]
    events = count_events(a_segmentation)
    box = Box((2, 3, 4), (4, 6, 10))

    update_segments(a_segmentation, changed(some_labels, box, 3), box=box)

    assert events == ["changed"]
    assert [segmentation.GetNthSegment(n) for n in range(2)] == before
    assert [segmentation.GetNthSegmentID(n) for n in range(2)] == ["left_hippocampus", "odd"]
    assert segmentation.GetNumberOfLayers() == 1


def test_nothing_changed_is_no_event(a_segmentation, some_labels):
    events = count_events(a_segmentation)
    update_segments(a_segmentation, some_labels)
    update_segments(a_segmentation, some_labels, box=Box((0, 0, 0), (2, 2, 2)))
    update_segments(a_segmentation, some_labels, box=Box((50, 50, 50), (60, 60, 60)))
    assert events == []


def test_a_box_beyond_what_was_segmented_grows_the_layer(a_segmentation, some_labels):
    box = Box((0, 0, 0), (12, 14, 2))
    new = changed(some_labels, box, 3)
    update_segments(a_segmentation, new, box=box)
    np.testing.assert_array_equal(read(a_segmentation, some_labels), new.array)


def test_an_empty_segmentation_can_be_filled_and_emptied(a_scene, some_labels, a_table):
    empty = some_labels.with_array(np.zeros_like(some_labels.array))
    node = segmentation_to_node(empty, a_table, a_scene)
    update_segments(node, some_labels)
    np.testing.assert_array_equal(read(node, some_labels), some_labels.array)
    update_segments(node, empty)
    assert not read(node, some_labels).any()


def test_a_users_segment_on_top_of_ours_is_left_alone(a_segmentation, some_labels):
    mask = add_user_segment(a_segmentation, some_labels, Box((3, 4, 6), (9, 10, 14)))
    box = Box((2, 3, 4), (8, 12, 16))
    new = changed(some_labels, box, 7)

    update_segments(a_segmentation, new, box=box)

    np.testing.assert_array_equal(user_voxels(a_segmentation, some_labels), mask == 1)
    a_segmentation.GetSegmentation().RemoveSegment("mine")
    np.testing.assert_array_equal(read(a_segmentation, some_labels), new.array)


def test_a_users_segment_in_our_own_layer_is_left_alone(a_segmentation, some_labels):
    mask = add_user_segment(a_segmentation, some_labels, Box((8, 10, 1), (10, 12, 5)))
    a_segmentation.GetSegmentation().CollapseBinaryLabelmaps(False)
    assert a_segmentation.GetSegmentation().GetNumberOfLayers() == 1
    new = some_labels.with_array(np.full_like(some_labels.array, 3))

    update_segments(a_segmentation, new)

    np.testing.assert_array_equal(user_voxels(a_segmentation, some_labels), mask == 1)
    a_segmentation.GetSegmentation().RemoveSegment("mine")
    np.testing.assert_array_equal(read(a_segmentation, some_labels), new.array)


def test_our_segments_in_layers_of_their_own_are_written_too(a_segmentation, some_labels):
    a_segmentation.GetSegmentation().SeparateSegmentLabelmap("odd")
    assert a_segmentation.GetSegmentation().GetNumberOfLayers() == 2
    new = some_labels.with_array(some_labels.array[::-1, ::-1, ::-1].copy())
    update_segments(a_segmentation, new)
    np.testing.assert_array_equal(read(a_segmentation, some_labels), new.array)


def test_a_segmentation_that_was_saved_and_loaded_can_be_updated(a_segmentation, a_scene, some_labels, tmp_path):
    storage = a_segmentation.CreateDefaultStorageNode()
    storage.SetFileName(str(tmp_path / "saved.seg.nrrd"))
    storage.WriteData(a_segmentation)
    loaded = a_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "loaded")
    storage.ReadData(loaded)
    box = Box((0, 0, 0), (3, 5, 16))
    new = changed(some_labels, box, 7)
    update_segments(loaded, new, box=box)
    np.testing.assert_array_equal(read(loaded, some_labels), new.array)


def test_surfaces_follow(a_segmentation, some_labels):
    create_surfaces(a_segmentation, smoothing=0.2)
    volume_before = a_segmentation.GetClosedSurfaceInternalRepresentation("odd").GetNumberOfPoints()
    box = Box((0, 0, 8), (12, 14, 16))
    update_segments(a_segmentation, changed(some_labels, box, 7), box=box)
    surface = a_segmentation.GetClosedSurfaceInternalRepresentation("odd")
    assert surface.GetNumberOfPoints() > 2 * volume_before
    assert a_segmentation.GetSegmentation().GetConversionParameter("Smoothing factor") == "0.2"


def test_a_value_without_a_segment_is_refused_and_nothing_changes(a_segmentation, some_labels):
    with pytest.raises(LabelError, match=r"no segment for the label values \[9\]"):
        update_segments(a_segmentation, changed(some_labels, Box((0, 0, 0), (1, 1, 1)), 9))
    np.testing.assert_array_equal(read(a_segmentation, some_labels), some_labels.array)


def test_labels_on_another_lattice_are_refused_with_a_sentence(a_segmentation, some_labels):
    grid = some_labels.grid
    other = Grid(grid.shape, tuple(1.01 * s for s in grid.spacing), grid.origin, grid.direction)
    with pytest.raises(InputError, match="no longer lie on the grid"):
        update_segments(a_segmentation, Volume(some_labels.array, other))


def test_the_box_costs_what_the_box_holds_and_not_what_the_scan_holds(a_scene, a_table):
    """A 12-fold smaller box must not take the time of the whole (measured: about 100 times less)."""
    array = np.zeros((96, 256, 256), np.uint8)
    array[8:-8, 8:-8, 8:-8] = 3
    labels = Volume(array, an_oblique_grid(array.shape))
    node = segmentation_to_node(labels, a_table, a_scene)
    box = Box((40, 100, 100), (56, 132, 132))

    def seconds(box, value):
        array[box.slices] = value
        start = time.perf_counter()
        update_segments(node, labels, box=box)
        return time.perf_counter() - start

    whole = min(seconds(Box.whole(array.shape), value) for value in (7, 3, 7))
    part = min(seconds(box, value) for value in (3, 7, 3))
    assert part < whole / 5
