"""Some of a large scan's voxels, as many as statistics need."""

from __future__ import annotations

import numpy as np

_MOST_VOXELS = 1 << 22


def sampled(array: np.ndarray, most: int = _MOST_VOXELS) -> np.ndarray:
    """Every voxel of a small scan, else every second, third ... along each axis, as a view of about ``most`` voxels.

    Args:
        array: Voxels (k, j, i).
        most: How many voxels there may be, but for the rounding of each axis.
    """
    step = 1
    while array.size // step**3 > most:
        step += 1
    return array[::step, ::step, ::step]
