"""A percentile of the distances from one set of points to another, without measuring each of them.

The distance to a fixed set changes by at most as much as one moves. So one measurement from the middle of a small cell
bounds the distance of every point in it; only points whose bounds reach the percentile's are measured themselves. The
result is the exact percentile, not an estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

_CELL_VOXELS = 4
_FEWEST_POINTS = 4000
"""With fewer points the cells cost more than they save."""
_ROUNDING_MM = 1e-6


@dataclass(frozen=True, eq=False)
class DirectedPercentile:
    """The percentile of the distances from ``points`` to the nearest point of ``tree`` (linear interpolation).

    Args:
        points: float64 (n, 3) in mm, at least one.
        tree: The points that are measured to.
        spacing_kji: Distance in mm of neighbouring points along each axis, from which the cells are made.
        percentile: 0 to 100.
    """

    points: np.ndarray
    tree: cKDTree
    spacing_kji: tuple[float, float, float]
    percentile: float

    @property
    def at_most(self) -> float:
        """A bound in mm that :attr:`value` does not exceed; cheaper than the value where there are many points."""
        return self._bounds.high if self._bounds is not None else self.value

    @cached_property
    def value(self) -> float:
        """The percentile in mm."""
        lower, upper, part = self._ranks
        bounds = self._bounds
        if bounds is None:
            measured, below = self.tree.query(self.points)[0], 0
        else:
            near, far = bounds.nearest[bounds.cell_of], bounds.farthest[bounds.cell_of]
            wanted = (far >= bounds.low) & (near <= bounds.high)
            measured, below = self.tree.query(self.points[wanted])[0], int(np.count_nonzero(far < bounds.low))
        ordered = np.partition(measured, sorted({lower - below, upper - below}))
        low, high = ordered[lower - below], ordered[upper - below]
        return float(low + part * (high - low))

    @property
    def _ranks(self) -> tuple[int, int, float]:
        """The two ranks that the percentile lies between, from 0, and how far it lies beyond the lower one."""
        place = self.percentile / 100 * (len(self.points) - 1)
        lower = int(place)
        return lower, min(lower + 1, len(self.points) - 1), place - lower

    @cached_property
    def _bounds(self) -> _Bounds | None:
        if len(self.points) < _FEWEST_POINTS:
            return None
        cells = _Cells.of(self.points, self.spacing_kji)
        to_middle = self.tree.query(cells.middles)[0]
        reach = cells.half_diagonal_mm + _ROUNDING_MM
        near, far = to_middle - reach, to_middle + reach
        lower, upper, _ = self._ranks
        return _Bounds(
            low=_at_rank(near, cells.counts, lower),
            high=_at_rank(far, cells.counts, upper),
            nearest=near,
            farthest=far,
            cell_of=cells.cell_of,
        )


@dataclass(frozen=True, eq=False)
class _Bounds:
    """``low`` and ``high`` of the percentile, and of the distances of the points in each cell."""

    low: float
    high: float
    nearest: np.ndarray
    farthest: np.ndarray
    cell_of: np.ndarray


@dataclass(frozen=True, eq=False)
class _Cells:
    """Points sorted into cells: the middle (cells, 3) and number of points (cells,) of each, and each point's cell."""

    middles: np.ndarray
    counts: np.ndarray
    cell_of: np.ndarray
    half_diagonal_mm: float

    @classmethod
    def of(cls, points: np.ndarray, spacing_kji: tuple[float, float, float]) -> _Cells:
        spacing = np.array(spacing_kji)
        voxels = np.maximum(1, np.rint(_CELL_VOXELS * spacing.min() / spacing))
        edges = voxels * spacing
        # Beginning half a voxel early, the points of a cell lie around its middle, at most this far from it.
        origin = points.min(0) - spacing / 2
        place = ((points - origin) / edges).astype(np.int64)
        shape = place.max(0) + 1
        number = (place[:, 0] * shape[1] + place[:, 1]) * shape[2] + place[:, 2]
        counts = np.bincount(number, minlength=int(np.prod(shape)))
        used = np.flatnonzero(counts)
        renumbered = np.zeros(len(counts), np.int64)
        renumbered[used] = np.arange(len(used))
        middles = np.column_stack(np.unravel_index(used, shape)) * edges + origin + edges / 2
        half = float(np.linalg.norm((edges - spacing) / 2))
        return cls(middles, counts[used], renumbered[number], half)


def _at_rank(values: np.ndarray, counts: np.ndarray, rank: int) -> float:
    """The value at ``rank`` (from 0) where each value stands ``counts`` times."""
    order = np.argsort(values)
    return float(values[order[np.searchsorted(np.cumsum(counts[order]), rank, side="right")]])
