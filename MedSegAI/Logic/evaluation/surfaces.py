"""The surface of a mask as points, and how far it is from another one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.evaluation.masks import box_around
from MedSegAI.Logic.evaluation.percentile_distance import DirectedPercentile

if TYPE_CHECKING:
    from scipy.spatial import cKDTree


@dataclass(frozen=True, eq=False)
class Surface:
    """Points of a surface; made once, it can be measured against many others.

    Args:
        points: float64 (n, 3) in mm along k, j, i.
        weights: float64 (n,), such as the area in mm2 that each point stands for.
        spacing_kji: Spacing in mm along k, j, i of the voxels it was made of.
    """

    points: np.ndarray
    weights: np.ndarray
    spacing_kji: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def is_empty(self) -> bool:
        """Whether it has no point."""
        return len(self.points) == 0

    @cached_property
    def tree(self) -> cKDTree:
        """Finds the nearest of its points to any place."""
        from scipy.spatial import cKDTree

        # Cut at the middle of each cell and not at the median: made twice as fast for points on a lattice, and searched
        # up to five times as fast from far away.
        return cKDTree(self.points, leafsize=32, balanced_tree=False, compact_nodes=False)

    def distances_to(self, other: Surface, *, at_most: float = np.inf) -> np.ndarray:
        """From each point of this surface the mm to the nearest of the other: (n,), infinite beyond ``at_most``."""
        return other.tree.query(self.points, distance_upper_bound=np.nextafter(at_most, np.inf))[0]


def surface_voxels(mask: np.ndarray, *, spacing_kji: tuple[float, float, float]) -> Surface:
    """The centres of the voxels of a bool mask (k, j, i) that have a face neighbour outside it.

    What lies beyond the array is outside. Each point weighs 1.
    """
    box = box_around(mask)
    if box is None:
        return Surface(np.zeros((0, 3)), np.zeros(0), spacing_kji)
    inside = np.ascontiguousarray(mask[box.slices])
    found = np.flatnonzero(inside ^ _eroded(inside))
    points = np.empty((len(found), 3))
    for axis, along in enumerate(np.unravel_index(found, inside.shape)):
        points[:, axis] = (along + box.start[axis]) * spacing_kji[axis]
    return Surface(points, np.ones(len(found)), spacing_kji)


def hd95_between(one: Surface, other: Surface) -> float | None:
    """95th percentile Hausdorff distance in mm: the larger of the two directed 95th percentiles.

    None where a surface is empty.
    """
    if one.is_empty or other.is_empty:
        return None
    directions = [
        DirectedPercentile(of.points, to.tree, spacing_kji=of.spacing_kji, percentile=95.0)
        for of, to in ((one, other), (other, one))
    ]
    # The direction that may be the larger comes first: it often makes the other one's exact value needless.
    directions.sort(key=lambda direction: direction.at_most, reverse=True)
    larger = directions[0].value
    return larger if directions[1].at_most <= larger else max(larger, directions[1].value)


def _eroded(inside: np.ndarray) -> np.ndarray:
    """The voxels whose six face neighbours are inside the array and set."""
    result = np.zeros_like(inside)
    middle = (slice(1, -1),) * 3
    kept = inside[middle].copy()
    for axis in range(3):
        for start in (0, 2):
            place = list(middle)
            place[axis] = slice(start, start + inside.shape[axis] - 2) if inside.shape[axis] > 1 else slice(0, 0)
            kept &= inside[tuple(place)]
    result[middle] = kept
    return result
