"""Grids with parallel axes are resampled axis by axis, with the values that SimpleITK gives on any grid."""

from __future__ import annotations

import builtins
import itertools
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.standardise import interpolate as interpolate_module
from MedSegAI.Logic.standardise.aligned_resample import load_kernel, resample_aligned, worthwhile_threads
from MedSegAI.Logic.standardise.aligned_weights import aligned_weights, gaussian_kernel
from MedSegAI.Logic.standardise.index_map import IndexMap
from MedSegAI.Logic.standardise.interpolate import by_simpleitk, interpolate, smoothing_variance
from MedSegAI.Logic.standardise.interpolation import Interpolation
from MedSegAI.Logic.standardise.resample import grid_with_spacing, resample, resample_labels
from MedSegAI.Logic.volume import Volume

SPACING, ORIGIN = (0.7, 1.3, 2.9), (11.5, -40.25, 73.125)
AXES_48 = [
    np.eye(3)[list(order)].T * np.array(signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1.0, -1.0), repeat=3)
]
TILT = np.deg2rad(20)
OBLIQUE = np.array([[np.cos(TILT), -np.sin(TILT), 0], [np.sin(TILT), np.cos(TILT), 0], [0, 0, 1.0]])

pytestmark = pytest.mark.skipif(load_kernel() is None, reason="numba is not installed")


def noise(shape, dtype=np.int16, seed=2):
    return np.random.default_rng(seed).integers(-1000, 3000, shape).astype(dtype)


def turned_grid(source: Grid, axes, spacing, shape, shift=(0.3, -0.2, 0.43)):
    """A grid whose axes are the source's, permuted and flipped, around the source's centre."""
    direction = source.direction_matrix @ axes
    centre = source.corners_lps().mean(0) + np.array(shift)
    origin = centre - direction @ (np.array(spacing) * (np.array(shape[::-1]) - 1) / 2)
    return Grid(shape, tuple(spacing), tuple(origin), tuple(direction.ravel()))


def both(array, source, target, *, background=-77.0, dtype=np.float32):
    index_map = IndexMap.between(source, target)
    how = aligned_weights(index_map, source.shape, target.shape, smoothing_variance(index_map))
    assert how is not None
    fast = resample_aligned(
        array, how, target.shape, kernel=load_kernel(), background=background, dtype=np.dtype(dtype), threads=1
    )
    oracle = by_simpleitk(
        array,
        index_map,
        target.shape,
        interpolation=Interpolation.LINEAR,
        background=background,
        dtype=np.dtype(np.float32),
    )
    return fast, oracle


@pytest.mark.parametrize(
    "spacing", [(0.9, 0.8, 1.0), (2.5, 1.9, 5.5), (0.4, 3.0, 2.9)], ids=["finer", "coarser", "mixed"]
)
@pytest.mark.parametrize("number", range(48))
def test_every_orientation_and_spacing_is_simpleitks(number, spacing):
    source = Grid((9, 11, 13), SPACING, ORIGIN, tuple(OBLIQUE.ravel()))
    # Larger than the source along some axes and smaller along others, so that borders and background are met.
    target = turned_grid(source, AXES_48[number], spacing, (12, 14, 10))
    fast, oracle = both(noise(source.shape), source, target)
    assert fast.flags.c_contiguous
    assert np.count_nonzero(oracle != -77.0) >= 50
    np.testing.assert_array_equal(fast == -77.0, oracle == -77.0)
    np.testing.assert_allclose(fast, oracle, atol=4000 * 1e-5)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_every_dtype_is_read(dtype):
    source = Grid((7, 8, 9), SPACING, ORIGIN)
    array = noise(source.shape, np.float64) > 0 if dtype == np.bool_ else np.abs(noise(source.shape)).astype(dtype)
    fast, oracle = both(array, source, grid_with_spacing(source, (1.0, 1.0, 1.0)))
    np.testing.assert_allclose(fast, oracle, atol=4000 * 1e-5)


def test_a_view_with_gaps_and_a_read_only_array_are_read():
    source = Grid((7, 8, 9), SPACING, ORIGIN)
    whole = noise((14, 16, 18))
    whole.setflags(write=False)
    fast, oracle = both(whole[::2, 8:, 17:8:-1], source, grid_with_spacing(source, (1.0, 1.0, 1.0)))
    np.testing.assert_allclose(fast, oracle, atol=4000 * 1e-5)


def test_half_a_voxel_outside_is_inside_at_the_lower_end():
    line = np.arange(1, 9, dtype=np.float32)[None, None].repeat(3, 0).repeat(3, 1)
    source, target = Grid((3, 3, 8)), Grid((3, 3, 21), (0.5, 1, 1), (-1.5, 0, 0))
    fast, oracle = both(line, source, target)
    np.testing.assert_array_equal(fast, oracle)
    np.testing.assert_array_equal(fast[0, 0, :5], [-77, -77, 1, 1, 1.5])
    np.testing.assert_array_equal(fast[0, 0, -4:], [8, -77, -77, -77])


@pytest.mark.parametrize("shape", [(1, 5, 6), (5, 1, 6), (2, 2, 2), (1, 1, 1)])
def test_an_axis_with_one_voxel_is_no_border_case(shape):
    source = Grid(shape, SPACING, ORIGIN)
    fast, oracle = both(noise(shape), source, grid_with_spacing(source, (0.5, 0.6, 1.7)))
    np.testing.assert_allclose(fast, oracle, atol=4000 * 1e-5)


def test_integers_are_rounded_and_stop_at_their_limits():
    source = Grid((6, 7, 8), SPACING, ORIGIN)
    target = grid_with_spacing(source, (1.0, 1.0, 1.0))
    exact, _ = both(noise(source.shape), source, target)
    np.testing.assert_array_equal(both(noise(source.shape), source, target, dtype=np.int16)[0], np.rint(exact))
    bytes_ = both(noise(source.shape), source, target, dtype=np.uint8, background=999.0)[0]
    np.testing.assert_array_equal(bytes_, np.clip(np.rint(exact), 0, 255))


def test_threads_do_not_change_a_bit():
    source = Grid((40, 20, 20), SPACING, ORIGIN)
    target = turned_grid(source, AXES_48[0], (0.9, 0.8, 1.0), (120, 30, 20))
    index_map = IndexMap.between(source, target)
    how = aligned_weights(index_map, source.shape, target.shape, np.zeros(3))
    one, three = (
        resample_aligned(
            noise(source.shape),
            how,
            target.shape,
            kernel=load_kernel(),
            background=0.0,
            dtype=np.dtype(np.float32),
            threads=threads,
        )
        for threads in (1, 3)
    )
    np.testing.assert_array_equal(one, three)


def test_the_gaussian_is_simpleitks():
    impulse = np.zeros((1, 1, 41), np.float32)
    impulse[0, 0, 20] = 1
    for variance in (0.3, 0.65, 2.0, 9.0):
        image = sitk.DiscreteGaussian(sitk.GetImageFromArray(impulse), [variance, 1e-9, 1e-9], 99, 0.01, False)
        ours = gaussian_kernel(variance)
        line = sitk.GetArrayFromImage(image)[0, 0]
        radius = len(ours) // 2
        np.testing.assert_allclose(line[20 - radius : 21 + radius], ours, atol=1e-6)
        assert line[: 20 - radius].max() < 1e-9
    np.testing.assert_array_equal(gaussian_kernel(0.0), [1.0])


def test_grids_that_are_not_parallel_are_left_to_simpleitk():
    source = Grid((5, 6, 7), SPACING, ORIGIN)
    for degrees, parallel in ((1e-5, True), (0.01, False), (20.0, False)):
        angle = np.deg2rad(degrees)
        turn = [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
        target = Grid((5, 6, 7), (1, 1, 1), ORIGIN, tuple(np.ravel(turn)))
        index_map = IndexMap.between(source, target)
        found = aligned_weights(index_map, source.shape, target.shape, np.zeros(3))
        assert (found is not None) is parallel, degrees
    # Two target axes along one source axis: a map that no pair of grids has, but a transform may.
    flat = IndexMap(np.array([[1.0, 1e-9, 0, 0], [1.0, 0, 0, 0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]]))
    assert aligned_weights(flat, (5, 6, 7), (5, 6, 7), np.zeros(3)) is None


def test_large_volumes_take_the_fast_way_and_small_ones_do_not(monkeypatch):
    source = Volume(noise((8, 9, 10)), Grid((8, 9, 10), SPACING, ORIGIN))
    target = grid_with_spacing(source.grid, (1.0, 1.0, 1.0))
    general = resample(source, target).array
    monkeypatch.setattr(interpolate_module, "by_simpleitk", None)
    with pytest.raises(TypeError):
        resample(source, target)
    monkeypatch.setattr(interpolate_module, "COMPILED_FROM_VOXELS", 0)
    fast = resample(source, target).array
    np.testing.assert_allclose(fast, general, atol=4000 * 1e-5)
    labels = source.with_array((noise((8, 9, 10)) % 3).astype(np.uint8))
    assert set(np.unique(resample_labels(labels, target).array)) == {0, 1, 2}


def test_without_numba_simpleitk_does_it(monkeypatch):
    source = noise((8, 9, 10))
    grid = Grid((8, 9, 10), SPACING, ORIGIN)
    target = grid_with_spacing(grid, (1.0, 1.0, 1.0))
    wanted = {"interpolation": Interpolation.LINEAR, "background": 0.0, "dtype": np.dtype(np.float32)}
    index_map = IndexMap.between(grid, target)
    fast = interpolate(source, index_map, target.shape, compiled_from=0, **wanted)
    real_import = builtins.__import__

    def no_numba(name, *arguments, **options):
        if name.split(".")[0] == "numba":
            raise ImportError("No module named 'numba'")
        return real_import(name, *arguments, **options)

    from MedSegAI.Logic import standardise

    monkeypatch.delitem(sys.modules, "MedSegAI.Logic.standardise.aligned_kernel")
    monkeypatch.delattr(standardise, "aligned_kernel")
    monkeypatch.setattr(builtins, "__import__", no_numba)
    assert load_kernel() is None
    general = interpolate(source, index_map, target.shape, compiled_from=0, **wanted)
    np.testing.assert_allclose(fast, general, atol=4000 * 1e-5)


def test_threads_are_what_the_environment_says(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert worthwhile_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "100")
    assert worthwhile_threads() == 8
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert 1 <= worthwhile_threads() <= 8


def test_the_compiled_loops_do_what_their_source_says():
    kernel = load_kernel()
    rng = np.random.default_rng(0)
    plane, planes = rng.normal(size=(6, 7)).astype(np.float32), rng.normal(size=(3, 4, 5)).astype(np.float32)
    rows, columns = rng.random((2, 4)).astype(np.float32), rng.random((3, 5)).astype(np.float32)
    first_rows, first_columns = np.array([0, 1, 3, 4]), np.array([0, 4, 2, 1, 3])
    outs = []
    for resample_plane, blend_planes in (
        (kernel.resample_plane, kernel.blend_planes),
        (kernel.resample_plane.py_func, kernel.blend_planes.py_func),
    ):
        out, blended = np.empty((4, 5), np.float32), np.empty((4, 5), np.float32)
        resample_plane(plane, first_rows, rows, first_columns, columns, np.empty(7, np.float32), out)
        blend_planes(planes, np.array([2, 0]), np.array([0.25, 0.75], np.float32), blended)
        outs.append((out, blended))
    for compiled, plain in zip(*outs):
        np.testing.assert_allclose(compiled, plain, atol=1e-6)
    expected = sum(rows[t, 1] * columns[u, 1] * plane[1 + t, 4 + u] for t in range(2) for u in range(3))
    assert outs[0][0][1, 1] == pytest.approx(expected, abs=1e-6)
    np.testing.assert_allclose(outs[0][1], 0.25 * planes[2] + 0.75 * planes[0], atol=1e-6)
