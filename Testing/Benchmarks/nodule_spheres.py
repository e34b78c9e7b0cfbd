"""The plainest way to segment a nodule from a click: a sphere around the click."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.training.nodules.case import NoduleCase
from Testing.Benchmarks.nodule_scores import Segmenter, clicks_of

RADII_MM = tuple(np.arange(2.0, 16.0, 0.5).tolist())


def sphere(shape: tuple[int, ...], centre: np.ndarray, radius: float) -> np.ndarray:
    """uint8 (k, j, i): 1 within ``radius`` voxels of ``centre``."""
    grids = np.ogrid[tuple(slice(n) for n in shape)]
    squares = sum((grid - at) ** 2 for grid, at in zip(grids, centre))
    return (squares <= radius**2).astype(np.uint8)


def sphere_at_click(radius: float) -> Segmenter:
    return lambda case, click: sphere(case.hu.shape, click, radius)


def true_radius(case: NoduleCase) -> float:
    """Radius in voxels of the sphere as large as the consensus."""
    return float((3 * case.consensus.sum() / (4 * np.pi)) ** (1 / 3))


def sphere_of_true_size(case: NoduleCase, click: np.ndarray) -> np.ndarray:
    """Around the click, as large as the nodule really is."""
    return sphere(case.hu.shape, click, true_radius(case))


def sphere_of_true_size_and_place(case: NoduleCase, _click: np.ndarray) -> np.ndarray:
    """Around the nodule's true middle, as large as it really is."""
    return sphere(case.hu.shape, case.centre, true_radius(case))


def best_radius(cases: Sequence[NoduleCase]) -> float:
    """The one radius in mm whose spheres have the best mean Dice, of training cases."""
    clicks = [(case, click) for place, case in enumerate(cases) for _, click in clicks_of(case, place)]
    means = {
        radius: np.mean([dice(sphere(case.hu.shape, click, radius), case.consensus) for case, click in clicks])
        for radius in RADII_MM
    }
    return max(means, key=means.get)
