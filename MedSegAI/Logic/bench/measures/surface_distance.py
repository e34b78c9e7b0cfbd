"""HD95 of two masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import binary_erosion, gaussian_filter, zoom
from scipy.spatial import cKDTree

from MedSegAI.Logic.bench.contestants import is_installed
from MedSegAI.Logic.bench.measure import Action, Answers, Case, Conditions, Contest, Parity, Unit
from MedSegAI.Logic.evaluation.metrics import hd95

MONAI, SIMPLE_ITK, OURS = "MONAI", "SimpleITK", "ours"
Masks = tuple[np.ndarray, np.ndarray]
Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class _Pair:
    make: Callable[[int], Masks]
    side: int
    spacing_kji: Spacing


class SurfaceDistance:
    """Ours beside MONAI's and a recipe of SimpleITK's filters."""

    name = "hd95"
    title = "HD95 of two masks"
    compares = (
        "The larger of the two directed 95th percentiles of the distance between surfaces, against MONAI's. Each "
        "value is held against the same percentile in double precision over every surface voxel; MONAI and SimpleITK "
        "compute in single precision."
    )
    unit = Unit.CPU_SECONDS
    uses_network = False

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """From a small smooth structure to rough ones everywhere."""
        side = 48 if conditions.quick else 256
        pairs = {
            "hippocampus": (_tubes, (1.0, 1.0, 1.0)),
            "nodule, planes of 1.25 mm": (_nodules, (1.25, 0.7, 0.7)),
            "large organ": (_organs, (1.0, 1.0, 1.0)),
            "rough structures everywhere": (_rough, (1.0, 1.0, 1.0)),
            "one far inside the other": (_nested, (1.0, 1.0, 1.0)),
        }
        return tuple(
            Case(f"{name}, {side} cubed", _Pair(make, side, spacing)) for name, (make, spacing) in pairs.items()
        )

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        """As :meth:`Measure.prepare`."""
        pair: _Pair = case.about
        masks, spacing = pair.make(pair.side), pair.spacing_kji
        there = is_installed("monai")
        actions: dict[str, Action] = {MONAI: lambda: by_monai(masks, spacing)} if there else {}
        actions |= {
            SIMPLE_ITK: lambda: by_simpleitk(masks, spacing),
            OURS: lambda: hd95(*masks, spacing_kji=spacing),
        }
        absent = {} if there else {MONAI: "not installed: pip install monai"}
        expected = by_definition(masks, spacing)
        yield Contest(MONAI, actions, frozenset({OURS}), lambda answers: _parity(answers, expected), absent)


def by_monai(masks: Masks, spacing: Spacing) -> float:
    """MONAI's metric."""
    import torch
    from monai.metrics import compute_hausdorff_distance

    given = [torch.from_numpy(mask)[None, None] for mask in masks]
    options = {"include_background": True, "percentile": 95, "spacing": spacing}
    return float(compute_hausdorff_distance(*given, **options))


def by_simpleitk(masks: Masks, spacing: Spacing) -> float:
    """Contours and distance maps of SimpleITK; at the image's border its contour filter sees no surface."""
    maps, contours = [], []
    for mask in masks:
        image = sitk.GetImageFromArray(mask.astype(np.uint8))
        image.SetSpacing(spacing[::-1])
        contour = sitk.LabelContour(image)
        contours.append(sitk.GetArrayViewFromImage(contour) != 0)
        away = sitk.SignedMaurerDistanceMap(
            contour, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
        )
        maps.append(sitk.GetArrayFromImage(away))
    return float(max(np.percentile(np.maximum(maps[1 - n][contours[n]], 0), 95) for n in (0, 1)))


def by_definition(masks: Masks, spacing: Spacing) -> float:
    """Every distance in double precision."""
    points = [np.argwhere(mask & ~binary_erosion(mask)) * np.array(spacing) for mask in masks]
    trees = [cKDTree(of, balanced_tree=False, compact_nodes=False) for of in points]
    return max(float(np.percentile(trees[1 - n].query(points[n])[0], 95)) for n in (0, 1))


def _ball(side: int, middle: tuple[float, ...], radius: float) -> np.ndarray:
    """Of voxels within ``radius`` of ``middle`` (k, j, i), both as parts of the side."""
    axes = np.ogrid[:side, :side, :side]
    return sum((axis - part * side) ** 2 for axis, part in zip(axes, middle)) <= (radius * side) ** 2


def _nodules(side: int) -> Masks:
    # Of a fixed size in voxels, as nodules are; the cube about them grows.
    return _ball(side, (0.5, 0.39, 0.35), 9 / side), _ball(side, (0.5 + 1 / side, 0.39, 0.35), 8 / side)


def _organs(side: int) -> Masks:
    return _ball(side, (0.5, 0.5, 0.5), 0.35), _ball(side, (0.512, 0.492, 0.5), 0.367)


def _tubes(side: int) -> Masks:
    """About as large and as thin as a hippocampus at 1 mm, whatever the side: 30 voxels long, 8 to 12 wide."""
    return _bent_tube(side, 0), _bent_tube(side, 1)


def _nested(side: int) -> Masks:
    return _ball(side, (0.5, 0.5, 0.5), 0.12), _ball(side, (0.5, 0.5, 0.5), 0.43)


def _rough(side: int) -> Masks:
    return _blobs(side, 0), _blobs(side, 1)


def _bent_tube(side: int, shift: int) -> np.ndarray:
    mask = np.zeros((side,) * 3, bool)
    for step in range(30):
        middle = (side / 2 + shift + 6 * np.sin(step / 12), side / 2 - 15 + step, side / 2 + 5 * np.cos(step / 15))
        axes = np.ogrid[:side, :side, :side]
        mask |= sum((axis - m) ** 2 for axis, m in zip(axes, middle)) <= (4 + 2 * np.cos(step / 13)) ** 2
    return mask


def _blobs(side: int, seed: int) -> np.ndarray:
    """Rough structures over the whole volume, a fifth of it."""
    small = gaussian_filter(np.random.default_rng(seed).normal(size=(side // 4,) * 3), 3)
    noise = zoom(small.astype(np.float32), 4, order=1)
    return noise > np.quantile(noise[::8, ::8, ::8], 0.8)


def _parity(answers: Answers, expected: float) -> dict[str, tuple[Parity, ...]]:
    return {
        name: (Parity("mm off", abs(found - expected), 1e-9 if name == OURS else None),)
        for name, found in answers.items()
    }
