"""Surface Dice of shapes whose surfaces can be worked out by hand, and beside another implementation."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.surface_dice import surface_between_voxels, surface_dice

ISOTROPIC = (1.0, 1.0, 1.0)


def cube(start=(5, 5, 5), size=(10, 10, 10), shape=(24, 24, 24)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[tuple(slice(a, a + n) for a, n in zip(start, size))] = True
    return mask


def test_a_cube_one_voxel_further_shares_the_points_along_which_it_moved():
    """A flat point weighs 1, one on an edge 1/sqrt(2), one at a corner sqrt(3)/8; a side has 9 x 9 flat points.

    Both cubes have ten rings of 40 points in common: nine of 36 flat points and 4 on edges, and the ring at the end,
    36 on edges and 4 at corners. All else is 1 mm away.
    """
    one, moved = cube(), cube((5, 5, 6))
    assert surface_dice(one, moved, spacing_kji=ISOTROPIC, tolerance_mm=1.0) == 1.0
    edge, corner = np.sqrt(0.5), np.sqrt(3) / 8
    shared = 9 * (36 + 4 * edge) + 36 * edge + 4 * corner
    whole = 6 * 81 + 12 * 9 * edge + 8 * corner
    for tolerance_mm in (0.0, 0.9):
        found = surface_dice(one, moved, spacing_kji=ISOTROPIC, tolerance_mm=tolerance_mm)
        assert found == pytest.approx(shared / whole)


def test_the_tolerance_is_in_mm_along_the_axis_of_the_shift():
    one, moved = cube(), cube((6, 5, 5))
    for spacing, tolerance_mm, all_within in (
        ((2.5, 1, 1), 2.4, False),
        ((2.5, 1, 1), 2.5, True),
        ((1, 1, 3), 1, True),
    ):
        found = surface_dice(one, moved, spacing_kji=spacing, tolerance_mm=tolerance_mm)
        assert (found == 1.0) is all_within


def test_the_surface_is_weighed_by_area_not_by_points():
    """Sides of 10 x 10 mm seen along i have as many points as those of 10 x 40 mm seen along k."""
    surface = surface_between_voxels(cube(), spacing_kji=(4.0, 1.0, 1.0))
    assert surface.weights.sum() == pytest.approx(2 * 100 + 4 * 400, rel=0.05)


def test_a_single_voxel_is_an_octahedron():
    surface = surface_between_voxels(cube(size=(1, 1, 1)), spacing_kji=ISOTROPIC)
    assert len(surface.points) == 8
    assert surface.weights.sum() == pytest.approx(np.sqrt(3))


def test_the_area_of_a_ball_is_that_of_the_formula():
    """Voxels make a ball's surface rough, which adds about a tenth; voxel faces would add half."""
    k, j, i = np.ogrid[-20:21, -20:21, -20:21]
    area = surface_between_voxels(k**2 + j**2 + i**2 <= 18**2, spacing_kji=ISOTROPIC).weights.sum()
    assert area == pytest.approx(4 * np.pi * 18**2, rel=0.12)


def test_a_mask_that_fills_the_array_has_the_array_s_border_as_its_surface():
    surface = surface_between_voxels(np.ones((4, 4, 4), bool), spacing_kji=ISOTROPIC)
    assert surface.points.min() == -0.5
    assert surface.points.max() == 3.5


@pytest.mark.parametrize("code", range(1, 255))
def test_the_inside_and_the_outside_of_eight_voxels_share_most_of_their_surface(code):
    """Where inner voxels only touch at an edge the two differ: each side is then parted in the other's favour."""
    from MedSegAI.Logic.evaluation.surface_dice import _area_of_codes

    areas = _area_of_codes(ISOTROPIC)
    assert 0.2 < areas[code] < 2.5
    assert areas[code] == pytest.approx(areas[255 - code], abs=1.1)


def test_it_is_the_surface_dice_of_monai_to_a_few_thousandths():
    """Both follow Nikolov; folded polygons may be divided into triangles in more than one way."""
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("monai.metrics")
    from scipy.ndimage import gaussian_filter

    random = np.random.default_rng(2)
    noise = gaussian_filter(random.normal(size=(24, 28, 20)), 3)
    other = noise + 0.4 * gaussian_filter(random.normal(size=noise.shape), 2)
    one, two = noise > np.quantile(noise, 0.85), other > np.quantile(other, 0.83)
    hot = [torch.tensor(np.stack([~m, m])[None].astype(np.float32)) for m in (one, two)]
    for spacing in (ISOTROPIC, (2.5, 0.7, 0.7)):
        for tolerance_mm in (0.0, 1.0, 2.0):
            theirs = metrics.compute_surface_dice(*hot, [tolerance_mm], spacing=spacing, use_subvoxels=True).item()
            ours = surface_dice(one, two, spacing_kji=spacing, tolerance_mm=tolerance_mm)
            assert ours == pytest.approx(theirs, abs=0.003)
            assert 0.4 < ours < 0.95


def test_empty_masks_have_defined_answers():
    nothing, something = np.zeros((6, 6, 6), bool), cube((1, 1, 1), (2, 2, 2), (6, 6, 6))
    assert surface_dice(nothing, nothing, spacing_kji=ISOTROPIC, tolerance_mm=1) == 1.0
    assert surface_dice(nothing, something, spacing_kji=ISOTROPIC, tolerance_mm=1) == 0.0
    assert surface_dice(something, nothing, spacing_kji=ISOTROPIC, tolerance_mm=1) == 0.0


def test_masks_of_different_shape_are_refused():
    with pytest.raises(InputError, match="cannot be compared"):
        surface_dice(cube(), cube()[1:], spacing_kji=ISOTROPIC, tolerance_mm=1)
