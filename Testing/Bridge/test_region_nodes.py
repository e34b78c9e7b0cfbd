"""A box or a point that a user places in Slicer becomes the region text that the command line takes, too."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Bridge.region_nodes import new_point, new_roi, point_to_region, roi_to_region
from MedSegAI.Bridge.scene import load_scene, save_scene
from MedSegAI.Bridge.transform_nodes import transform_to_node
from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box, Grid, swap_lps_and_ras
from MedSegAI.Logic.localise.region_of_interest import parse_region
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.volume import Volume
from Testing.Bridge.conftest import rotation


def numbers(region):
    return [float(part) for part in region.split(",")]


@pytest.fixture
def an_roi(a_scene):
    node = a_scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "my box")
    node.SetCenter([10.0, -20.0, 30.0])
    node.SetSize([8.0, 6.0, 4.0])
    return node


def test_an_roi_is_its_bounds_in_ras_millimetres(an_roi):
    assert roi_to_region(an_roi) == "6,14,-23,-17,28,32"


def test_an_roi_means_the_voxels_inside_it(an_roi):
    grid = Grid((40, 40, 40), origin=(-25.0, 5.0, 10.0))
    box = parse_region(roi_to_region(an_roi), grid, reporter=SilentReporter())
    centres = swap_lps_and_ras(grid.lps_of(np.argwhere(np.ones(grid.shape))))
    inside = np.all(np.abs(centres - [10, -20, 30]) <= [4, 3, 2], axis=1).reshape(grid.shape)
    assert box == Box.around(inside)


def test_the_parent_transform_moves_and_turns_the_region(a_scene, an_roi):
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(0, 0, np.pi / 2)
    matrix[:3, 3] = (1.0, 2.0, 3.0)
    an_roi.SetAndObserveTransformNodeID(transform_to_node(matrix, a_scene).GetID())
    # LPS (-10, 20, 30) turns to (-20, -10, 30) and moves to (-19, -8, 33): RAS (19, 8, 33), x and y sizes exchanged.
    np.testing.assert_allclose(numbers(roi_to_region(an_roi)), [16, 22, 4, 12, 31, 35], atol=1e-3)


def test_a_turned_roi_gives_the_box_around_it(a_scene, an_roi):
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(0, 0, np.pi / 4)
    an_roi.SetAndObserveTransformNodeID(transform_to_node(matrix, a_scene).GetID())
    low, high = np.reshape(numbers(roi_to_region(an_roi)), (3, 2)).T
    np.testing.assert_allclose(high - low, [14 / np.sqrt(2), 14 / np.sqrt(2), 4], atol=1e-2)


def test_an_roi_that_is_not_placed_or_empty_is_refused_with_a_sentence(a_scene):
    node = a_scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "my box")
    with pytest.raises(InputError, match="'my box' is not placed"):
        roi_to_region(node)
    node.SetCenter([0.0, 0.0, 0.0])
    node.SetSize([5.0, 0.0, 5.0])
    with pytest.raises(InputError, match="'my box' has no extent"):
        roi_to_region(node)


def test_a_point_is_the_box_around_the_last_one_placed(a_scene):
    node = new_point(a_scene)
    node.AddControlPointWorld(100.0, 100.0, 100.0)
    node.AddControlPointWorld(-26.5, -22.0, -14.0)
    assert point_to_region(node, (36.0, 50.0, 36.0)) == "-44.5,-8.5,-47,3,-32,4"
    node.UnsetNthControlPointPosition(1)
    assert point_to_region(node, (2.0, 2.0, 2.0)) == "99,101,99,101,99,101"


def test_a_point_under_a_transform_is_where_the_user_sees_it(a_scene):
    matrix = np.eye(4)
    matrix[:3, 3] = (5.0, 0.0, 0.0)
    node = new_point(a_scene)
    node.AddControlPoint([0.0, 0.0, 0.0])
    node.SetAndObserveTransformNodeID(transform_to_node(matrix, a_scene).GetID())
    assert point_to_region(node, (2.0, 2.0, 2.0)) == "-6,-4,-1,1,-1,1"


def test_without_a_point_a_sentence_says_what_to_do(a_scene):
    with pytest.raises(InputError, match=r"No point is placed in 'seed'.*Click"):
        point_to_region(new_point(a_scene, name="seed"), (1.0, 1.0, 1.0))


def test_a_new_roi_lies_around_the_middle_half_of_the_scan_and_can_be_dragged(a_scene, a_head):
    scan = volume_to_node(a_head, a_scene)
    node = new_roi(scan, name="where to look")
    bounds = np.zeros(6)
    scan.GetRASBounds(bounds)
    low, high = np.reshape(numbers(roi_to_region(node)), (3, 2)).T
    np.testing.assert_allclose((low + high) / 2, (bounds[::2] + bounds[1::2]) / 2, atol=1e-2)
    np.testing.assert_allclose(high - low, (bounds[1::2] - bounds[::2]) / 2, atol=1e-2)
    assert node.GetName() == "where to look"
    assert node.GetDisplayNode().GetHandlesInteractive()


def test_a_scan_without_voxels_gets_no_roi(a_scene):
    with pytest.raises(InputError, match="'empty' holds no voxels"):
        new_roi(a_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"))
    assert a_scene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode") == 0


def test_two_new_points_have_names_that_differ_and_displays(a_scene):
    first, second = new_point(a_scene, name="seed"), new_point(a_scene, name="seed")
    assert first.GetName() != second.GetName()
    assert first.GetDisplayNode() is not None


def test_roi_and_point_survive_mrb(a_scene, a_small_scan, tmp_path):
    roi = new_roi(volume_to_node(Volume(a_small_scan.array, Grid((4, 5, 6))), a_scene), name="box")
    point = new_point(a_scene, name="seed")
    point.AddControlPointWorld(1.0, 2.0, 3.0)
    loaded = load_scene(save_scene(a_scene, tmp_path / "case.mrb")).mrml
    assert roi_to_region(loaded.GetFirstNodeByName("box")) == roi_to_region(roi)
    assert point_to_region(loaded.GetFirstNodeByName("seed"), (2.0, 4.0, 6.0)) == "0,2,0,4,0,6"
