"""How much the grey values of two scans say about each other, whatever their contrasts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.align.overlap import inside
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.standardise.resample import resample
from MedSegAI.Logic.volume import Volume

BINS = 32
_LIMITS = (0.5, 99.5)
_FEWEST = 8 * BINS
UNRELATED = 1.0
"""The normalised mutual information of scans that say nothing of each other, and of scans that do not overlap."""


@dataclass(frozen=True)
class Likeness:
    """How two scans look together under a transform.

    Args:
        information: Normalised mutual information where both lie, 1 to 2.
        overlap: Fraction 0..1 of the smaller scan's extent that lies inside the other.
    """

    information: float
    overlap: float

    @property
    def score(self) -> float:
        """By this transforms are ranked: without the overlap, a corner of air that fits a corner of air would win."""
        return (self.information - UNRELATED) * self.overlap


def normalised_mutual_information(one: np.ndarray, other: np.ndarray) -> float:
    """Normalised mutual information of paired values (Studholme, Hill, Hawkes: Pattern Recognition 32, 1999).

    ``(H(one) + H(other)) / H(one, other)`` of a joint histogram of 32 x 32 bins between each one's 0.5 and 99.5
    percentiles. It does not depend on how large the overlap is as plain mutual information does.

    Args:
        one: Values of any shape and real dtype.
        other: As many values, one for each.

    Returns:
        1 for unrelated values (and for too few of them, or constant ones) to 2 where one determines the other.
    """
    if one.size < _FEWEST:
        return UNRELATED
    counts = np.bincount(_bins(one) * BINS + _bins(other), minlength=BINS * BINS).reshape(BINS, BINS)
    together = _entropy(counts)
    return UNRELATED if together <= 0 else float((_entropy(counts.sum(0)) + _entropy(counts.sum(1))) / together)


def likeness(reference: Volume, moving: Volume, transform: LinearTransform) -> Likeness:
    """Normalised mutual information and overlap of two scans.

    Args:
        reference: Where it is measured: at each of its voxels, LPS mm.
        moving: The other scan, with voxels about as large.
        transform: From LPS mm of the reference to LPS mm of the moving scan.
    """
    seen = seen_by(moving.grid, reference.grid, transform)
    smaller = min(reference.grid.voxel_count, moving.grid.voxel_count * _voxel_ratio(moving.grid, reference.grid))
    overlap = min(1.0, float(np.count_nonzero(seen) / smaller))
    if not seen.any():
        return Likeness(UNRELATED, 0.0)
    values = resample(moving, reference.grid, transform=transform).array[seen]
    return Likeness(normalised_mutual_information(reference.array[seen], values), overlap)


def seen_by(moving: Grid, reference: Grid, transform: LinearTransform) -> np.ndarray:
    """bool (k, j, i) on the reference's grid: which of its voxel centres lie inside the moving grid's block."""
    kji = np.indices(reference.shape).reshape(3, -1).T
    return inside(moving, transform.apply(reference.lps_of(kji))).reshape(reference.shape)


def _voxel_ratio(one: Grid, other: Grid) -> float:
    return one.voxel_volume_ml / other.voxel_volume_ml


def _bins(values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64).ravel()
    low, high = np.percentile(values, _LIMITS)
    if high <= low:
        return np.zeros(values.size, dtype=np.int64)
    return np.clip((values - low) / (high - low) * BINS, 0, BINS - 1).astype(np.int64)


def _entropy(counts: np.ndarray) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())
