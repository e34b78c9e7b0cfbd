"""Resampling moves no voxel: exact where lattices coincide, SimpleITK's answer where they do not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.standardise.resample import (
    Interpolation,
    canonical_grid,
    grid_with_spacing,
    resample,
    resample_labels,
)
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

SPACING, ORIGIN = (0.7, 1.3, 2.9), (11.5, -40.25, 73.125)


def rotation(degrees, axis):
    a, b = [(1, 2), (2, 0), (0, 1)][axis]
    matrix, angle = np.eye(3), np.deg2rad(degrees)
    matrix[a, a] = matrix[b, b] = np.cos(angle)
    matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
    return matrix


OBLIQUE = rotation(17, 0) @ rotation(-11, 1) @ rotation(8, 2)
AXES_48 = [
    np.eye(3)[list(order)].T * np.array(signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1.0, -1.0), repeat=3)
]


def numbered(direction, shape=(4, 5, 6), dtype=np.int16):
    array = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    return Volume(array, Grid(shape, SPACING, ORIGIN, tuple(np.ravel(direction))), Modality.CT, Unit.HOUNSFIELD, "scan")


def smooth(grid):
    """A linear function of the LPS position: linear interpolation must reproduce it exactly."""
    place = grid.lps_of(np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), -1))
    return Volume((place @ [0.5, -1.25, 2.0] + 300).astype(np.float32), grid)


@pytest.mark.parametrize("turned", [np.eye(3), OBLIQUE], ids=["straight", "oblique"])
@pytest.mark.parametrize("number", range(48))
def test_all_48_orientations_become_ras_and_return_unchanged(number, turned):
    volume = numbered(turned @ AXES_48[number])
    grid = canonical_grid(volume.grid)
    ras_axes = np.diag([-1, -1, 1]) @ grid.direction_matrix
    assert np.all(np.diag(ras_axes) > 0.9)
    assert sorted(grid.shape) == sorted(volume.grid.shape)
    straight = resample(volume, grid)
    for kji in itertools.product(*map(range, grid.shape)):
        source = np.round(volume.grid.kji_of(grid.lps_of(np.array(kji)))).astype(int)
        assert straight.array[kji] == volume.array[tuple(source)]
    back = resample(straight, volume.grid)
    np.testing.assert_array_equal(back.array, volume.array)
    assert back.array.dtype == np.int16
    assert (back.modality, back.unit, back.name) == (volume.modality, volume.unit, volume.name)


@pytest.mark.parametrize("number", range(48))
def test_orientation_agrees_with_simpleitk(number):
    volume = numbered(AXES_48[number])
    straight = resample(volume, canonical_grid(volume.grid))
    reference = Volume.from_sitk(sitk.DICOMOrient(volume.to_sitk(), "RAS"))
    np.testing.assert_array_equal(straight.array, reference.array)
    assert straight.grid.same_frame(reference.grid)


def test_a_training_crop_is_already_canonical(hippocampus_crops):
    volume = read_volume(hippocampus_crops[0].image)
    grid = canonical_grid(volume.grid, spacing_mm=(1.0, 1.0, 1.0))
    assert grid.same_frame(volume.grid)
    np.testing.assert_array_equal(resample(volume, grid).array, volume.array)


def test_another_spacing_covers_the_same_block_with_the_same_centre():
    grid = Grid((10, 20, 30), (0.5, 1.0, 3.0), ORIGIN, tuple(OBLIQUE.ravel()))
    new = canonical_grid(grid, spacing_mm=(1.0, 1.0, 1.0))
    assert new.shape == (30, 20, 15)
    np.testing.assert_allclose(new.corners_lps().mean(0), grid.corners_lps().mean(0), atol=1e-9)
    odd = canonical_grid(grid, spacing_mm=(0.7, 0.9, 1.7))
    extent = np.array(odd.size) * odd.spacing - np.array(grid.size) * grid.spacing
    assert np.all(extent >= -1e-9) and np.all(extent < odd.spacing)
    np.testing.assert_allclose(odd.corners_lps().mean(0), grid.corners_lps().mean(0), atol=1e-9)


def test_spacing_within_one_percent_keeps_the_voxels():
    grid = Grid((10, 20, 30), (1.005, 0.995, 1.0), ORIGIN)
    assert canonical_grid(grid, spacing_mm=(1.0, 1.0, 1.0)).spacing == (1.005, 0.995, 1.0)


@pytest.mark.parametrize("number", [0, 7, 21, 46])
@pytest.mark.parametrize(
    "box", [Box((1, 1, 2), (3, 4, 5)), Box((-2, -1, -3), (7, 8, 9)), Box((2, -3, 4), (6, 2, 8))], ids=str
)
def test_crop_and_pad_in_any_orientation_are_exact(number, box):
    volume = numbered(OBLIQUE @ AXES_48[number])
    whole = canonical_grid(volume.grid)
    wanted = whole.crop(box)
    found = resample(volume, wanted, background=-7)
    padded = np.pad(resample(volume, whole).array, 10, constant_values=-7)
    np.testing.assert_array_equal(found.array, padded[box.shift((10, 10, 10)).slices])
    assert found.array.dtype == np.int16
    assert found.grid == wanted


def test_a_grid_beside_the_volume_gets_background():
    volume = numbered(np.eye(3))
    far = volume.grid.crop(Box((50, 0, 0), (53, 2, 2)))
    assert np.all(resample(volume, far, background=3).array == 3)
    turned = Grid(far.shape, far.spacing, far.origin, tuple(OBLIQUE.ravel()))
    assert np.all(resample(volume, turned).array == volume.array.min())


def test_a_background_that_the_dtype_cannot_hold_makes_it_float():
    volume = numbered(np.eye(3), dtype=np.uint8)
    found = resample(volume, volume.grid.crop(Box((-1, 0, 0), (4, 5, 6))), background=-0.5)
    assert found.array.dtype == np.float32
    assert found.array[0].max() == -0.5
    np.testing.assert_array_equal(found.array[1:], volume.array)


def test_interpolation_reproduces_a_linear_function_exactly():
    source = smooth(Grid((20, 24, 28), SPACING, ORIGIN, tuple(OBLIQUE.ravel())))
    target = Grid((8, 8, 8), (0.9, 1.1, 1.3), tuple(source.grid.lps_of(np.array([6.3, 9.1, 7.7]))))
    found = resample(source, target)
    assert found.array.dtype == np.float32
    np.testing.assert_allclose(found.array, smooth(target).array, atol=2e-3)


def test_integers_are_interpolated_without_truncation():
    volume = Volume(np.arange(-4, 4, dtype=np.int16)[None, None].repeat(4, 0).repeat(4, 1), Grid((4, 4, 8)))
    shifted = Grid((4, 4, 7), (1, 1, 1), (0.5, 0, 0))
    np.testing.assert_allclose(resample(volume, shifted).array[0, 0], np.arange(-3.5, 3.5))


def test_shrinking_suppresses_what_a_coarse_grid_cannot_show():
    checkers = Volume((np.indices((32, 32, 32)).sum(0) % 2).astype(np.float32), Grid((32, 32, 32)))
    coarse = Grid((8, 8, 8), (4, 4, 4), (1.0, 1.0, 1.0))
    aliased = sitk.GetArrayFromImage(
        sitk.Resample(checkers.to_sitk(), coarse.size, sitk.Transform(), sitk.sitkLinear, coarse.origin, coarse.spacing)
    )
    assert aliased.std() == 0 and abs(aliased.mean() - 0.5) > 0.4
    found = resample(checkers, coarse).array
    np.testing.assert_allclose(found[1:-1, 1:-1, 1:-1], 0.5, atol=1e-3)


def test_mean_intensity_of_a_head_survives_shrinking(hippocampus_crops):
    volume = read_volume(hippocampus_crops[0].image)
    found = resample(volume, canonical_grid(volume.grid, spacing_mm=(3.0, 3.0, 3.0)), background=0)
    assert found.array[2:-2, 2:-2, 2:-2].mean() == pytest.approx(volume.array[6:-6, 6:-6, 6:-6].mean(), rel=0.05)


def test_labels_return_unchanged_from_all_48_orientations(hippocampus_crops):
    labels = read_segmentation(hippocampus_crops[0].labels).labels
    for axes in AXES_48:
        turned = Grid(labels.grid.shape, labels.grid.spacing, labels.grid.origin, tuple(axes.ravel()))
        moved = Volume(labels.array, turned)
        back = resample_labels(resample_labels(moved, canonical_grid(turned)), turned)
        np.testing.assert_array_equal(back.array, labels.array)
        assert back.array.dtype == np.uint8


def dice(a, b):
    return 2 * np.sum(a & b) / (np.sum(a) + np.sum(b))


def test_labels_survive_an_oblique_round_trip(hippocampus_crops):
    labels = read_segmentation(hippocampus_crops[0].labels).labels
    grid = labels.grid
    centre = grid.corners_lps().mean(0)
    size = 120
    origin = centre - OBLIQUE @ np.full(3, 0.5 * (size - 1) / 2)
    fine = Grid((size,) * 3, (0.5, 0.5, 0.5), tuple(origin), tuple(OBLIQUE.ravel()))
    there = resample_labels(labels, fine)
    assert set(np.unique(there.array)) == {0, 1, 2}
    back = resample_labels(there, grid)
    for value in (1, 2):
        assert dice(back.array == value, labels.array == value) > 0.97
        volume = np.sum(there.array == value) * 0.125
        assert volume == pytest.approx(np.sum(labels.array == value), rel=0.03)


def test_labels_between_two_labels_never_become_a_third():
    array = np.zeros((6, 6, 12), np.uint8)
    array[..., :6], array[..., 6:] = 1, 3
    labels = Volume(array, Grid(array.shape))
    found = resample_labels(labels, Grid((6, 6, 23), (0.5, 1, 1), (0.25, 0, 0))).array
    assert set(np.unique(found)) == {1, 3}
    np.testing.assert_array_equal(found[0, 0], [1] * 11 + [3] * 12)


def test_a_label_that_fills_less_than_the_background_is_gone():
    array = np.zeros((9, 9, 9), np.uint8)
    array[4, 4, 4] = 2
    labels = Volume(array, Grid(array.shape))
    assert not resample_labels(labels, Grid((3, 3, 3), (3, 3, 3), (1, 1, 1))).array.any()
    array[2:7, 2:7, 2:7] = 2
    found = resample_labels(labels, Grid((3, 3, 3), (3, 3, 3), (1, 1, 1))).array
    assert found[1, 1, 1] == 2
    assert found.sum() == 2


def test_empty_and_distant_label_maps_stay_empty():
    labels = Volume(np.zeros((5, 6, 7), np.uint8), Grid((5, 6, 7)))
    turned = Grid((5, 6, 7), (0.8, 0.8, 0.8), (0, 0, 0), tuple(OBLIQUE.ravel()))
    assert not resample_labels(labels, turned).array.any()
    full = labels.with_array(labels.array + 1)
    far = Grid((5, 6, 7), (0.8, 0.8, 0.8), (500, 0, 0), tuple(OBLIQUE.ravel()))
    assert not resample_labels(full, far).array.any()


@pytest.mark.parametrize("spacing", [0.7, 3.0])
def test_a_small_region_of_a_large_scan_is_what_the_whole_would_give(spacing: float):
    array = np.random.default_rng(3).normal(size=(40, 50, 60)).astype(np.float32)
    scan = Volume(array, Grid(array.shape, (1.0, 1.1, 0.9), (5.0, -3.0, 2.0), tuple(OBLIQUE.ravel())))
    whole = canonical_grid(scan.grid, spacing_mm=(spacing, spacing, spacing))
    box = Box.whole(whole.shape).grow(-min(whole.shape) // 3)
    everything = resample(scan, whole).array
    np.testing.assert_allclose(resample(scan, whole.crop(box)).array, everything[box.slices], atol=1e-4)


def test_a_grid_apart_from_the_scan_is_all_background():
    scan = Volume(np.ones((5, 5, 5), np.float32), Grid((5, 5, 5), (1.0, 1.1, 0.9)))
    assert np.all(resample(scan, Grid((3, 3, 3), origin=(90.0, 0.0, 0.0)), background=-7.0).array == -7.0)


# Interpolation, rounding and transforms

SITK_KINDS = {
    Interpolation.LINEAR: sitk.sitkLinear,
    Interpolation.BSPLINE: sitk.sitkBSpline3,
    Interpolation.NEAREST: sitk.sitkNearestNeighbor,
}


def noisy(grid, seed=5, dtype=np.float32):
    values = np.random.default_rng(seed).normal(100, 400, grid.shape)
    return Volume(
        values.astype(dtype), grid, Modality.CT, Unit.HOUNSFIELD, "scan", "1.2.3", (StepRecord("n4", "Done."),)
    )


def by_simpleitk(volume, grid, kind=sitk.sitkLinear, transform=None, background=0.0):
    moved = sitk.AffineTransform(3)
    if transform is not None:
        matrix = np.reshape(transform.matrix, (4, 4))
        moved.SetMatrix(matrix[:3, :3].ravel().tolist())
        moved.SetTranslation(matrix[:3, 3].tolist())
    image = sitk.Cast(volume.to_sitk(), sitk.sitkFloat32)
    found = sitk.Resample(image, grid.size, moved, kind, grid.origin, grid.spacing, grid.direction, background)
    return sitk.GetArrayFromImage(found)


@pytest.mark.parametrize("interpolation", list(Interpolation))
@pytest.mark.parametrize("number", range(0, 48, 5))
def test_each_interpolation_is_simpleitks(interpolation, number):
    source = noisy(Grid((12, 14, 16), SPACING, ORIGIN, tuple(np.ravel(OBLIQUE @ AXES_48[number]))))
    direction = AXES_48[47 - number] @ OBLIQUE.T
    spacing = np.array([0.9, 0.8, 1.0])
    origin = source.grid.corners_lps().mean(0) - direction @ (spacing * (19, 17, 15) / 2)
    target = Grid((16, 18, 20), tuple(spacing), tuple(origin), tuple(direction.ravel()))
    found = resample(source, target, interpolation=interpolation, background=-5.0)
    oracle = by_simpleitk(source, target, SITK_KINDS[interpolation], background=-5.0)
    assert np.count_nonzero(oracle != -5.0) > 1000
    np.testing.assert_allclose(found.array, oracle, atol=1e-4 * np.ptp(source.array))


def test_a_transform_takes_the_reference_to_the_scan():
    source = noisy(Grid((12, 14, 16), SPACING, ORIGIN, tuple(OBLIQUE.ravel())))
    matrix = np.eye(4)
    centre = source.grid.corners_lps().mean(0)
    matrix[:3, :3] = rotation(9, 1) * 1.05
    matrix[:3, 3] = centre + np.array([1.0, -0.5, 1.5]) - matrix[:3, :3] @ centre
    transform = LinearTransform(tuple(matrix.ravel()))
    reference = Grid((11, 12, 13), (0.9, 0.9, 0.9), tuple(source.grid.lps_of(np.array([3.0, 4.0, 2.0]))))
    found = resample(source, reference, transform=transform, background=0.0)
    oracle = by_simpleitk(source, reference, transform=transform)
    assert np.count_nonzero(oracle) > 200
    np.testing.assert_allclose(found.array, oracle, atol=1e-4 * np.ptp(source.array))
    assert found.grid == reference and found.frame_of_reference == ""


def test_a_transform_by_whole_voxels_copies():
    source = numbered(np.eye(3))
    matrix = np.eye(4)
    matrix[0, 3] = 2 * SPACING[0]
    found = resample(source, source.grid, transform=LinearTransform(tuple(matrix.ravel())), background=0)
    np.testing.assert_array_equal(found.array[..., :-2], source.array[..., 2:])
    assert not found.array[..., -2:].any() and found.array.dtype == np.int16
    labels = source.with_array(source.array.astype(np.uint8))
    moved = resample_labels(labels, labels.grid, transform=LinearTransform(tuple(matrix.ravel())))
    np.testing.assert_array_equal(moved.array[..., :-2], labels.array[..., 2:])


def test_what_is_known_of_the_scan_stays():
    source = noisy(Grid((6, 6, 6), SPACING, ORIGIN))
    found = resample(source, grid_with_spacing(source.grid, (1.0, 1.0, 1.0)))
    assert (found.modality, found.unit, found.name) == (source.modality, source.unit, source.name)
    assert (found.frame_of_reference, found.steps) == (source.frame_of_reference, source.steps)


def test_integers_are_rounded_to_even_and_stop_at_their_limits():
    line = np.array([-3, -2, -1, 0, 1, 2, 3], np.int16)
    volume = Volume(np.broadcast_to(line, (3, 3, 7)), Grid((3, 3, 7)))
    halfway = Grid((3, 3, 6), origin=(0.5, 0, 0))
    found = resample(volume, halfway, dtype=np.int16)
    assert found.array.dtype == np.int16
    np.testing.assert_array_equal(found.array[0, 0], [-2, -2, 0, 0, 2, 2])
    steep = Volume(np.where(np.indices((4, 4, 8))[2] < 4, -32768, 32767).astype(np.int16), Grid((4, 4, 8)))
    finer = grid_with_spacing(steep.grid, (0.5, 0.5, 0.5))
    over = resample(steep, finer, interpolation=Interpolation.BSPLINE).array
    assert over.max() > 33_000 and over.min() < -33_000
    rounded = resample(steep, finer, interpolation=Interpolation.BSPLINE, dtype=np.int16).array
    assert rounded.max() == 32767 and rounded.min() == -32768


def test_rounding_has_no_bias_where_simpleitk_truncates():
    source = noisy(Grid((20, 20, 20)), dtype=np.int16)
    finer = Grid((25, 25, 25), (0.7, 0.7, 0.7), (0.8, 0.8, 0.8))
    exact = resample(source, finer).array
    assert abs((resample(source, finer, dtype=np.int16).array - exact).mean()) < 0.01
    np.testing.assert_array_equal(resample(source, finer, dtype=np.int16).array, np.rint(exact))


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int16, np.uint16, np.int32, np.float16, np.float64])
def test_the_nearest_voxel_keeps_values_and_dtype(dtype):
    source = Volume((np.arange(4 * 5 * 6).reshape(4, 5, 6) % 2 + 0).astype(dtype), Grid((4, 5, 6)))
    target = Grid((4, 5, 11), (0.5, 1, 1), (0.2, 0, 0))
    found = resample(source, target, interpolation=Interpolation.NEAREST, background=0)
    assert found.array.dtype == dtype
    nearest = np.floor(np.arange(11) * 0.5 + 0.2 + 0.5).astype(int)
    np.testing.assert_array_equal(found.array, source.array[..., nearest])


def test_nearest_labels_are_the_nearest_voxels_and_splines_are_refused():
    labels = Volume(np.random.default_rng(0).integers(0, 5, (7, 8, 9)).astype(np.uint8), Grid((7, 8, 9)))
    target = Grid((10, 10, 10), (0.7, 0.7, 0.7), (0.1, 0.3, 0.1), tuple(OBLIQUE.ravel()))
    found = resample_labels(labels, target, interpolation=Interpolation.NEAREST)
    np.testing.assert_array_equal(found.array, by_simpleitk(labels, target, sitk.sitkNearestNeighbor))
    with pytest.raises(InputError, match="B-splines"):
        resample_labels(labels, target, interpolation=Interpolation.BSPLINE)
