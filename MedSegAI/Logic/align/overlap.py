"""How much of the patient two scans have in common."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.geometry import Grid

_SAMPLES = 24


def shared_extent(one: Grid, other: Grid) -> float:
    """Fraction 0..1 of the smaller grid's block that lies inside the other's block, oblique or not.

    Args:
        one: A grid, LPS mm.
        other: Another in the same space.
    """
    small, large = sorted((one, other), key=lambda grid: grid.voxel_count * grid.voxel_volume_ml)
    # Midpoints of equal parts of the smaller block, in its own index space.
    parts = [(np.arange(_SAMPLES) + 0.5) / _SAMPLES * size - 0.5 for size in small.shape]
    points = small.lps_of(np.stack(np.meshgrid(*parts, indexing="ij"), axis=-1).reshape(-1, 3))
    return float(inside(large, points).mean())


def inside(grid: Grid, points: np.ndarray) -> np.ndarray:
    """bool (n,): which of the points (n, 3), LPS mm, lie inside the grid's block, outer halves of voxels included."""
    places = grid.kji_of(points)
    return np.all((places >= -0.5) & (places <= np.array(grid.shape) - 0.5), axis=1)
