"""Masks made elsewhere, brought onto a case's grid without moving a voxel, or refused with the difference named."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.volume import Volume

# Coarser than the library's usual border: NIfTI keeps positions in single precision.
_SAME_PLACE_MM = 0.01


def grid_difference(known: Grid, grid: Grid) -> str:
    """How a grid differs from the known one, as a phrase for a sentence; empty where every voxel lies at one place."""
    if known.same_frame(grid, tolerance_mm=_SAME_PLACE_MM):
        return ""
    if known.shape != grid.shape:
        return f"the case has {known.shape} voxels (k, j, i), these have {grid.shape}"
    if not np.allclose(known.spacing, grid.spacing, rtol=1e-4):
        return f"the case has voxels of {_numbers(known.spacing)} mm, these are {_numbers(grid.spacing)} mm"
    if not np.allclose(known.direction, grid.direction, atol=1e-4):
        return "the axes point another way"
    moved = float(np.linalg.norm(np.subtract(known.origin, grid.origin)))
    return f"they lie {moved:.3g} mm beside it"


def on_case_grid(mask: Volume, grid: Grid) -> Volume:
    """A label map on the case's grid; background where the mask's own grid does not reach.

    A mask may be stored on a part of the grid, as Slicer does, or reach beyond it with background.

    Args:
        mask: uint8 (k, j, i) on an LPS grid.
        grid: The case's.

    Raises:
        InputError: if the two lattices do not coincide voxel by voxel, or a label lies outside the case's grid.
    """
    offset = tuple(int(v) for v in np.rint(grid.kji_of(np.asarray(mask.grid.origin))))
    place = Box.whole(mask.grid.shape).shift(offset)
    if not grid.crop(place).same_frame(mask.grid, tolerance_mm=_SAME_PLACE_MM):
        difference = grid_difference(grid, mask.grid)
        raise InputError(
            f"'{mask.name}' does not lie on the case's grid: {difference}.",
            advice="Make the mask on the case's scan, or resample it to that scan first.",
        )
    if place == Box.whole(grid.shape):
        return Volume(mask.array, grid, name=mask.name)
    inside = place.clip(grid.shape)
    cut = mask.array[inside.shift(tuple(-o for o in offset)).slices] if not inside.is_empty else mask.array[:0]
    if np.count_nonzero(cut) != np.count_nonzero(mask.array):
        raise InputError(
            f"'{mask.name}' has labels outside the case's scan.", advice="Give a mask that was made on this scan."
        )
    array = np.zeros(grid.shape, np.uint8)
    array[inside.slices] = cut
    return Volume(array, grid, name=mask.name)


def _numbers(values: tuple[float, ...]) -> str:
    return " x ".join(f"{value:.4g}" for value in values)
