"""The surface of a mask as points, and how far it is from another one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.geometry import Box

if TYPE_CHECKING:
    from scipy.spatial import cKDTree


@dataclass(frozen=True, eq=False)
class Surface:
    """Points of a surface; made once, it can be measured against many others.

    Args:
        points: float64 (n, 3) in mm along k, j, i.
        weights: float64 (n,), such as the area in mm2 that each point stands for.
    """

    points: np.ndarray
    weights: np.ndarray

    @property
    def is_empty(self) -> bool:
        """Whether it has no point."""
        return len(self.points) == 0

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(self.points)

    def distances_to(self, other: Surface, *, at_most: float = np.inf) -> np.ndarray:
        """From each point of this surface the mm to the nearest of the other: (n,), infinite beyond ``at_most``."""
        return other._tree.query(self.points, distance_upper_bound=np.nextafter(at_most, np.inf))[0]


def surface_voxels(mask: np.ndarray, *, spacing_kji: tuple[float, float, float]) -> Surface:
    """The centres of the voxels of a bool mask (k, j, i) that have a face neighbour outside it.

    What lies beyond the array is outside. Each point weighs 1.
    """
    from scipy.ndimage import binary_erosion

    box = Box.around(mask)
    if box is None:
        return Surface(np.zeros((0, 3)), np.zeros(0))
    inside = mask[box.slices]
    found = np.argwhere(inside & ~binary_erosion(inside))
    return Surface((found + np.array(box.start)) * np.array(spacing_kji), np.ones(len(found)))


def hd95_between(one: Surface, other: Surface) -> float | None:
    """95th percentile Hausdorff distance in mm: the larger of the two directed 95th percentiles.

    None where a surface is empty.
    """
    if one.is_empty or other.is_empty:
        return None
    return float(max(np.percentile(of.distances_to(to), 95) for of, to in ((one, other), (other, one))))
