"""Grids that a scan is brought to: the same block of the patient at another spacing, or the way a network wants it."""

from __future__ import annotations

import itertools

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid, Triple, swap_lps_and_ras

_PART_OF_A_VOXEL = 0.01
_SAME_SPACING = 0.01
_MOST_VOXELS = 2**36


def canonical_grid(grid: Grid, *, spacing_mm: Triple | None = None) -> Grid:
    """The grid of the same block of the patient as a network wants it.

    Args:
        grid: Any grid, LPS mm.
        spacing_mm: Spacing (i, j, k) in mm of the new grid; None keeps each axis's own.

    Returns:
        A grid along the volume's own axes (never interpolated obliquely) with i nearest to Right, j nearest to
        Anterior and k nearest to Superior. An axis whose spacing is within 1% of the wanted one keeps its voxels; any
        other is covered completely, with the same centre.
    """
    order, signs = _nearest_ras_axes(grid)
    direction = grid.direction_matrix[:, order] * signs
    old_size = np.array(grid.size)[order]
    old_spacing = np.array(grid.spacing)[order]
    return _covering(grid, old_size, old_spacing, direction, spacing_mm)


def grid_with_spacing(grid: Grid, spacing_mm: Triple) -> Grid:
    """The grid of the same block of the patient along the same axes at another spacing.

    Args:
        grid: Any grid, LPS mm.
        spacing_mm: Spacing (i, j, k) in mm of the new grid.

    Returns:
        A grid with the same directions. An axis whose spacing is within 1% of the wanted one keeps its voxels; any
        other is covered completely, with the same centre.

    Raises:
        InputError: for a spacing that is not positive, or so fine that no computer could hold the scan.
    """
    if len(spacing_mm) != 3 or not np.all(np.isfinite(spacing_mm)) or min(spacing_mm) <= 0:
        raise InputError(
            f"A spacing of {', '.join(f'{value:g}' for value in spacing_mm)} mm is not usable.",
            advice="Give three positive numbers, along i, j and k.",
        )
    extents = np.array(grid.size) * grid.spacing
    if float(np.prod(extents / spacing_mm)) > _MOST_VOXELS:
        raise InputError(
            f"A spacing of {', '.join(f'{value:g}' for value in spacing_mm)} mm is too fine for a scan of "
            f"{', '.join(f'{value:.4g}' for value in extents)} mm.",
            advice="Give a larger spacing, in millimetres.",
        )
    return _covering(grid, np.array(grid.size), np.array(grid.spacing), grid.direction_matrix, spacing_mm)


def _covering(
    grid: Grid, old_size: np.ndarray, old_spacing: np.ndarray, direction: np.ndarray, spacing_mm: Triple | None
) -> Grid:
    """The grid along ``direction`` with the centre of ``grid``; sizes and spacings in the order of its axes."""
    wanted = old_spacing if spacing_mm is None else np.asarray(spacing_mm, dtype=float)
    kept = np.abs(wanted / old_spacing - 1) < _SAME_SPACING
    spacing = np.where(kept, old_spacing, wanted)
    covering = np.ceil(old_size * old_spacing / spacing - _PART_OF_A_VOXEL)
    size = np.where(kept, old_size, np.maximum(1, covering)).astype(int)
    centre = grid.lps_of((np.array(grid.shape) - 1) / 2)
    origin = centre - direction @ (spacing * (size - 1) / 2)
    return Grid(tuple(size[::-1]), tuple(spacing), tuple(origin), tuple(direction.ravel()))


def _nearest_ras_axes(grid: Grid) -> tuple[list[int], np.ndarray]:
    """For Right, Anterior, Superior in turn: the index axis (i = 0) nearest to it, and whether it runs against it."""
    ras = swap_lps_and_ras(grid.direction_matrix.T).T
    order = max(
        itertools.permutations(range(3)), key=lambda axes: sum(abs(ras[row, axis]) for row, axis in enumerate(axes))
    )
    signs = np.array([1.0 if ras[row, axis] >= 0 else -1.0 for row, axis in enumerate(order)])
    return list(order), signs
