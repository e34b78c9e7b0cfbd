"""A grid says where every voxel lies in the patient, exactly as ITK does."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import InputError, RegionError
from MedSegAI.Logic.geometry import LPS_TO_RAS, Box, Grid, swap_lps_and_ras

OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)


def an_oblique_grid() -> Grid:
    return Grid((5, 7, 9), (0.5, 1.0, 2.0), (10.0, -20.0, 30.0), OBLIQUE)


def the_same_in_itk(grid: Grid) -> sitk.Image:
    image = sitk.Image(grid.size, sitk.sitkUInt8)
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    return image


def test_voxel_positions_are_those_of_itk():
    grid = an_oblique_grid()
    image = the_same_in_itk(grid)
    for k, j, i in itertools.product((0, 4), (0, 3, 6), (0, 8)):
        expected = image.TransformIndexToPhysicalPoint((i, j, k))
        np.testing.assert_allclose(grid.lps_of(np.array([k, j, i])), expected, atol=1e-9)


def test_positions_go_back_to_the_voxels_they_came_from():
    grid = an_oblique_grid()
    voxels = np.array([[0.0, 0.0, 0.0], [1.5, 2.25, 8.0]])
    np.testing.assert_allclose(grid.kji_of(grid.lps_of(voxels)), voxels, atol=1e-9)


def test_a_grid_goes_through_json_and_back():
    grid = an_oblique_grid()
    assert Grid.from_plain(json.loads(json.dumps(grid.to_plain()))) == grid


def test_points_swap_between_lps_and_ras():
    points = np.array([[1.0, 2.0, 3.0], [-4.0, 0.5, 6.0]])
    np.testing.assert_array_equal(swap_lps_and_ras(points), (np.column_stack([points, [1, 1]]) @ LPS_TO_RAS)[:, :3])


def test_ras_is_lps_with_two_axes_turned():
    grid = an_oblique_grid()
    np.testing.assert_allclose(grid.index_to_ras[:2], -grid.index_to_lps[:2])
    np.testing.assert_allclose(grid.index_to_ras[2:], grid.index_to_lps[2:])


@pytest.mark.parametrize("make", ["from_index_to_lps", "from_index_to_ras"])
def test_a_grid_is_rebuilt_from_its_affine(make: str):
    grid = an_oblique_grid()
    affine = getattr(grid, make.removeprefix("from_"))
    assert getattr(Grid, make)(grid.shape, affine).same_frame(grid, tolerance_mm=1e-9)


def test_array_order_and_index_order_are_named_apart():
    grid = an_oblique_grid()
    assert grid.shape == (5, 7, 9)
    assert grid.size == (9, 7, 5)
    assert grid.spacing_kji == (2.0, 1.0, 0.5)
    assert grid.voxel_count == 315
    assert grid.voxel_volume_ml == pytest.approx(0.001)


def test_a_crop_leaves_its_voxels_where_they_were():
    grid = an_oblique_grid()
    crop = grid.crop(Box((1, 2, 3), (4, 6, 8)))
    assert crop.shape == (3, 4, 5)
    np.testing.assert_allclose(crop.lps_of(np.array([0, 0, 0])), grid.lps_of(np.array([1, 2, 3])))


def test_a_crop_beyond_the_edge_pads():
    grid = an_oblique_grid()
    padded = grid.crop(Box((-2, 0, 0), (5, 7, 9)))
    assert padded.shape == (7, 7, 9)
    np.testing.assert_allclose(padded.lps_of(np.array([2, 0, 0])), grid.lps_of(np.array([0, 0, 0])))


def test_an_empty_crop_is_refused():
    with pytest.raises(RegionError, match="holds no voxel"):
        an_oblique_grid().crop(Box((2, 2, 2), (2, 4, 4)))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"shape": (0, 4, 4)}, "is empty"),
        ({"shape": (4, 4)}, "has 2 axes"),
        ({"shape": (4, 4, 4), "spacing": (1, 0, 1)}, "spacing"),
        ({"shape": (4, 4, 4), "spacing": (1, float("nan"), 1)}, "spacing"),
        ({"shape": (4, 4, 4), "direction": (1, 0.5, 0, 0, 1, 0, 0, 0, 1)}, "perpendicular"),
        ({"shape": (4, 4, 4), "origin": (0, float("inf"), 0)}, "perpendicular"),
    ],
)
def test_a_nonsensical_grid_is_refused_with_a_sentence(fields: dict, sentence: str):
    with pytest.raises(InputError, match=sentence) as refused:
        Grid(**fields)
    assert refused.value.advice


def test_same_frame_sees_a_shift_of_a_hundredth_of_a_millimetre():
    grid = an_oblique_grid()
    moved = Grid(grid.shape, grid.spacing, (10.01, -20.0, 30.0), grid.direction)
    assert grid.same_frame(grid)
    assert not grid.same_frame(moved)
    assert grid.same_frame(moved, tolerance_mm=0.1)
    assert not grid.same_frame(Grid((5, 7, 8)))


def test_overlap_is_the_share_of_this_volume_inside_the_other():
    grid = Grid((10, 10, 10))
    half = Grid((10, 10, 10), origin=(5.0, 0.0, 0.0))
    apart = Grid((10, 10, 10), origin=(50.0, 0.0, 0.0))
    assert grid.overlap(grid) == pytest.approx(1.0)
    assert grid.overlap(half) == pytest.approx(0.5)
    assert grid.overlap(apart) == 0.0


def test_the_box_around_a_mask_is_tight():
    mask = np.zeros((6, 6, 6), bool)
    mask[1, 2, 3] = mask[4, 3, 5] = True
    box = Box.around(mask)
    assert box == Box((1, 2, 3), (5, 4, 6))
    assert mask[box.slices].sum() == 2
    assert Box.around(np.zeros((3, 3, 3))) is None


def test_a_box_covers_positions_or_keeps_to_the_voxels_between_them():
    positions = np.array([[0.5, 3.0, -1.25], [2.5, 4.0, 2.75]])
    assert Box.covering(positions) == Box((0, 3, -2), (4, 5, 4))
    assert Box.inside(positions) == Box((1, 3, -1), (3, 5, 3))
    assert Box.inside(np.array([[1.2, 1.2, 1.2], [1.8, 1.8, 1.8]])).is_empty


def test_rounding_does_not_cost_a_box_its_outermost_voxels():
    assert Box.inside(np.array([[1 + 1e-9] * 3, [4 - 1e-9] * 3])) == Box((1, 1, 1), (5, 5, 5))


def test_boxes_clip_shift_grow_and_join():
    box = Box((1, 1, 1), (3, 3, 3))
    assert box.grow(2).clip((4, 4, 4)) == Box((0, 0, 0), (4, 4, 4))
    assert box.shift((1, 0, -1)) == Box((2, 1, 0), (4, 3, 2))
    assert box.union(Box((2, 0, 2), (5, 1, 3))) == Box((1, 0, 1), (5, 3, 3))
    assert Box.whole((2, 3, 4)).shape == (2, 3, 4)
    assert Box((9, 9, 9), (12, 12, 12)).clip((4, 4, 4)).is_empty
