"""What the slice views show changes no more than it must, and a result is brought into view."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Bridge.geometry import matrix_array
from MedSegAI.Bridge.heatmap_nodes import heatmap_to_node
from MedSegAI.Bridge.segmentation_nodes import segmentation_to_node
from MedSegAI.Bridge.slice_composites import centre_slices_on, show_heat, show_scan, slice_composites
from MedSegAI.Bridge.transform_nodes import transform_to_node
from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid, swap_lps_and_ras
from MedSegAI.Logic.volume import Volume


@pytest.fixture
def a_scan(a_scene, a_small_scan):
    return volume_to_node(a_small_scan, a_scene)


@pytest.fixture
def a_heat_map(a_scene, a_small_scan):
    return heatmap_to_node(a_small_scan.with_array(np.zeros(a_small_scan.grid.shape, np.float32)), a_scene)


def shown(scene):
    return {(node.GetBackgroundVolumeID(), node.GetForegroundVolumeID()) for node in slice_composites(scene)}


def test_heat_lies_over_the_scan_with_its_opacity(a_scene, a_scan, a_heat_map):
    show_heat(a_heat_map, a_scan, opacity=0.4)
    assert shown(a_scene) == {(a_scan.GetID(), a_heat_map.GetID())}
    assert {node.GetForegroundOpacity() for node in slice_composites(a_scene)} == {0.4}
    assert {node.GetLayoutName() for node in slice_composites(a_scene)} == {"Red", "Green", "Yellow"}


@pytest.mark.parametrize("take_away", [lambda scan: show_heat(None, scan), show_scan])
def test_the_heat_map_is_taken_away_again(a_scene, a_scan, a_heat_map, take_away):
    show_heat(a_heat_map, a_scan)
    take_away(a_scan)
    assert shown(a_scene) == {(a_scan.GetID(), None)}


def test_what_the_user_laid_over_the_scan_stays(a_scene, a_scan, a_small_scan):
    show_scan(a_scan)
    other = volume_to_node(a_small_scan, a_scene)
    first = slice_composites(a_scene)[0]
    first.SetForegroundVolumeID(other.GetID())
    first.SetForegroundOpacity(0.3)
    show_scan(a_scan)
    show_heat(None, a_scan)
    assert (first.GetForegroundVolumeID(), first.GetForegroundOpacity()) == (other.GetID(), 0.3)


def test_views_that_need_no_change_hear_nothing(a_scene, a_scan, a_heat_map):
    heard = []
    for node in slice_composites(a_scene):
        node.AddObserver("ModifiedEvent", lambda *_: heard.append("change"))
    show_scan(a_scan)
    assert len(heard) == 3
    show_scan(a_scan)
    assert len(heard) == 3
    show_heat(a_heat_map, a_scan, opacity=0.25)
    assert len(heard) == 6
    show_heat(a_heat_map, a_scan, opacity=0.25)
    assert len(heard) == 6


def test_another_scan_takes_the_place_of_all_that_was_shown(a_scene, a_scan, a_heat_map, a_small_scan):
    show_heat(a_heat_map, a_scan)
    other = volume_to_node(a_small_scan, a_scene)
    show_scan(other)
    assert shown(a_scene) == {(other.GetID(), None)}


def test_an_opacity_outside_0_to_1_is_refused(a_scan, a_heat_map):
    with pytest.raises(InputError, match="opacity"):
        show_heat(a_heat_map, a_scan, opacity=2.0)


@pytest.fixture
def three_views(a_scene):
    views = []
    for name in ("Axial", "Coronal", "Sagittal"):
        view = a_scene.AddNewNodeByClass("vtkMRMLSliceNode", name)
        view.SetLayoutName(name)
        view.SetOrientation(name)
        view.SetDimensions(200, 200, 1)
        view.SetFieldOfView(100.0, 100.0, 1.0)
        views.append(view)
    return views


@pytest.fixture
def two_blobs(a_scene, a_table):
    """A larger and a smaller block far apart: the middle of both is background."""
    array = np.zeros((40, 40, 40), np.uint8)
    array[5:12, 4:14, 3:15] = 3
    array[30:35, 30:35, 30:35] = 7
    labels = Volume(array, Grid(array.shape, origin=(-20.0, -15.0, -10.0)), name="blobs")
    return segmentation_to_node(labels, a_table, a_scene)


def heights_above(views, point):
    """How far a point lies from each view's slice, along the slice's normal (mm)."""
    slices = [matrix_array(view.GetSliceToRAS()) for view in views]
    return [float((point - matrix[:3, 3]) @ matrix[:3, 2]) for matrix in slices]


def middle_of_larger():
    return swap_lps_and_ras(Grid((40, 40, 40), origin=(-20.0, -15.0, -10.0)).lps_of(np.array([8.0, 8.5, 8.5])))


def test_the_slices_go_through_the_largest_segment(a_scene, three_views, two_blobs):
    centre_slices_on(a_scene, two_blobs)
    np.testing.assert_allclose(heights_above(three_views, middle_of_larger()), 0, atol=0.51)


def test_a_view_that_shows_the_place_is_not_moved_sideways_and_one_that_does_not_is(a_scene, three_views, two_blobs):
    axial = three_views[0]
    before = [axial.GetSliceToRAS().GetElement(row, 3) for row in range(2)]
    centre_slices_on(a_scene, two_blobs)
    assert [axial.GetSliceToRAS().GetElement(row, 3) for row in range(2)] == before
    axial.JumpSliceByCentering(500.0, 500.0, 0.0)
    centre_slices_on(a_scene, two_blobs)
    place = [axial.GetSliceToRAS().GetElement(row, 3) for row in range(3)]
    np.testing.assert_allclose(place, middle_of_larger(), atol=0.51)


def test_the_place_follows_the_parent_transform(a_scene, three_views, two_blobs):
    matrix = np.eye(4)
    matrix[2, 3] = 25.0
    two_blobs.SetAndObserveTransformNodeID(transform_to_node(matrix, a_scene).GetID())
    centre_slices_on(a_scene, two_blobs)
    np.testing.assert_allclose(heights_above(three_views, np.add(middle_of_larger(), [0, 0, 25])), 0, atol=0.51)


def test_nothing_moves_without_voxels_or_views(a_scene, a_table, some_labels, two_blobs):
    centre_slices_on(a_scene, two_blobs)
    view = a_scene.AddNewNodeByClass("vtkMRMLSliceNode")
    before = view.GetSliceOffset()
    empty = some_labels.with_array(np.zeros_like(some_labels.array))
    centre_slices_on(a_scene, segmentation_to_node(empty, a_table, a_scene))
    assert view.GetSliceOffset() == before
