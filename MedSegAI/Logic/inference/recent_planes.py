"""Planes that are kept as long as they are needed."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.geometry import Shape


class RecentPlanes:
    """Stands for an array (k, j, i) that is written plane by plane, of which the lowest planes may be forgotten.

    Args:
        shape: (k, j, i) of the whole.
        dtype: Of the voxels.
    """

    def __init__(self, shape: Shape, dtype: type) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self._planes: dict[int, np.ndarray] = {}

    def __setitem__(self, k: int, plane: np.ndarray) -> None:
        """Keep a copy of one plane (j, i)."""
        self._planes[k] = np.array(plane, dtype=self.dtype)

    def planes(self, start: int, stop: int) -> np.ndarray:
        """The planes ``start <= k < stop``: (stop - start, j, i); raises KeyError for one that is not there."""
        return np.stack([self._planes[k] for k in range(start, stop)])

    def forget_below(self, k: int) -> None:
        """Let go of the planes below ``k``."""
        for old in [old for old in self._planes if old < k]:
            del self._planes[old]
