"""Linear resampling of a scan to another aligned grid."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from MedSegAI.Logic.bench.contestants import is_installed
from MedSegAI.Logic.bench.measure import Action, Answers, Case, Conditions, Contest, Figure, Parity, Target, Unit
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.standardise.aligned_resample import load_kernel, resample_aligned
from MedSegAI.Logic.standardise.aligned_weights import aligned_weights
from MedSegAI.Logic.standardise.index_map import IndexMap
from MedSegAI.Logic.standardise.interpolate import smoothing_variance
from MedSegAI.Logic.standardise.target_grids import grid_with_spacing

SIMPLE_ITK, OURS, ROUNDED = "SimpleITK", "ours", "ours, rounded to int16"
SCIPY, TORCH, MONAI = "scipy zoom", "torch interpolate", "MONAI Spacing"
_BACKGROUND = -1000.0


@dataclass(frozen=True)
class _Grids:
    source: Grid
    target: Grid
    smooth: bool


class Resample:
    """Ours beside SimpleITK, scipy, torch and MONAI."""

    name = "resample"
    title = "Linear resampling"
    compares = (
        "A CT resampled to another spacing, against SimpleITK. Each library gets what it likes best before the clock "
        "starts: an int16 array for ours and scipy, float32 for the others; the compiled code is warm. Where "
        "the new grid is coarse, ours and SimpleITK smooth first; the others do not. MONAI and torch place their "
        "voxels elsewhere, so their values are not compared."
    )
    unit = Unit.CPU_SECONDS
    uses_network = False

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """A finer and a coarser grid."""
        k, side = (20, 48) if conditions.quick else (150, 512)
        source = Grid((k, side, side), (0.7, 0.7, 2.5))
        fine = grid_with_spacing(source, (0.7 * 4 / 3, 0.7 * 4 / 3, 2.5 * 150 / 188))
        coarse = grid_with_spacing(source, (1.5, 1.5, 5.0))
        targets = () if conditions.quick else (Target(OURS, Figure.TIMES_FASTER, 5.0),)
        return (
            Case(_between(source, fine), _Grids(source, fine, False), targets),
            Case(f"{_between(source, coarse)}, smoothed first", _Grids(source, coarse, True), targets),
        )

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        """As :meth:`Measure.prepare`."""
        grids: _Grids = case.about
        array = a_scan(grids.source.shape)
        actions: dict[str, Action] = {SIMPLE_ITK: _by_simpleitk(array, grids)}
        for name, dtype in ((OURS, np.float32), (ROUNDED, np.int16)):
            actions[name] = _by_ours(array, grids, dtype, threads=conditions.threads)
        absent: dict[str, str] = {}
        if not grids.smooth:
            actions |= {SCIPY: _by_scipy(array, grids), TORCH: _by_torch(array, grids)}
            if is_installed("monai"):
                actions[MONAI] = _by_monai(array, grids)
            else:
                absent[MONAI] = "not installed: pip install monai"
        scale = float(np.ptp(array))
        ours = frozenset({OURS, ROUNDED})
        yield Contest(SIMPLE_ITK, actions, ours, lambda answers: _parity(answers, scale), absent)


def a_scan(shape: tuple[int, int, int]) -> np.ndarray:
    """int16 (k, j, i): smooth shapes with sharp borders, and noise."""
    rng = np.random.default_rng(0)
    k, j, i = np.ogrid[tuple(slice(n) for n in shape)]
    tissue = 400 * (np.sin(k / 9) + np.sin(j / 31) + np.sin(i / 23) > 0.4)
    air = (j - shape[1] / 2) ** 2 + (i - shape[2] / 2) ** 2 > 0.76 * shape[1] ** 2
    return (tissue - 1000 * air + rng.normal(0, 20, shape)).astype(np.int16)


def _between(source: Grid, target: Grid) -> str:
    return " to ".join(" x ".join(map(str, grid.shape)) for grid in (source, target))


def _by_ours(array: np.ndarray, grids: _Grids, dtype: type, *, threads: int) -> Action:
    index_map = IndexMap.between(grids.source, grids.target)
    options = {"background": _BACKGROUND, "dtype": np.dtype(dtype), "threads": threads}

    def work() -> np.ndarray:
        how = aligned_weights(index_map, grids.source.shape, grids.target.shape, smoothing_variance(index_map))
        return resample_aligned(array, how, grids.target.shape, kernel=load_kernel(), **options)

    return work


def _by_simpleitk(array: np.ndarray, grids: _Grids) -> Action:
    image = sitk.GetImageFromArray(array.astype(np.float32))
    image.SetSpacing(grids.source.spacing)
    target = grids.target
    place = target.size, sitk.Transform(), sitk.sitkLinear, target.origin, target.spacing, target.direction
    variance = smoothing_variance(IndexMap.between(grids.source, target)).tolist()

    def work() -> np.ndarray:
        given = sitk.DiscreteGaussian(image, variance, 99, 0.01, False) if grids.smooth else image
        return sitk.GetArrayFromImage(sitk.Resample(given, *place, _BACKGROUND))

    return work


def _by_scipy(array: np.ndarray, grids: _Grids) -> Action:
    from scipy.ndimage import zoom

    factors = [new / old for new, old in zip(grids.target.shape, grids.source.shape)]
    return lambda: zoom(array, factors, np.float32, order=1, mode="nearest", grid_mode=True)


def _by_torch(array: np.ndarray, grids: _Grids) -> Action:
    import torch

    tensor = torch.from_numpy(array.astype(np.float32))[None, None]
    return lambda: torch.nn.functional.interpolate(tensor, grids.target.shape, mode="trilinear").numpy()[0, 0]


def _by_monai(array: np.ndarray, grids: _Grids) -> Action:
    import torch
    from monai.data import MetaTensor
    from monai.transforms import Spacing

    affine = torch.from_numpy(np.diag([*grids.source.spacing_kji, 1.0]))
    tensor = MetaTensor(torch.from_numpy(array.astype(np.float32))[None], affine=affine)
    spacing = Spacing(grids.target.spacing_kji, mode="bilinear", padding_mode="border")
    return lambda: spacing(tensor).numpy()[0]


def _parity(answers: Answers, scale: float) -> dict[str, tuple[Parity, ...]]:
    # Rounding to whole Hounsfield units moves a voxel by half a unit at most; float32 at a border by a hair more.
    limits = {OURS: 1e-5, ROUNDED: 0.51 / scale}
    what, expected = "off by (parts of the range)", answers.get(SIMPLE_ITK)
    if expected is None:
        return {}
    return {
        name: (Parity(what, _off(answers[name], expected, scale), limit),)
        for name, limit in limits.items()
        if name in answers
    }


def _off(found: np.ndarray, expected: np.ndarray, scale: float) -> float:
    return float(np.abs(found.astype(np.float32) - expected).max()) / scale
