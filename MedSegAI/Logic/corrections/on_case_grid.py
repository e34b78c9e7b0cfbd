"""Masks made elsewhere, brought onto a case's grid without moving a voxel, or refused with the difference named."""

from __future__ import annotations

from enum import Enum

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.volume import Volume

# Coarser than the library's usual border: NIfTI keeps positions in single precision.
_SAME_PLACE_MM = 0.01


class Extent(Enum):
    """How much of the scan a mask must cover to be taken for one of this scan."""

    WHOLE = "whole"
    PART = "part"


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


def on_case_grid(mask: Volume, grid: Grid, *, extent: Extent = Extent.PART) -> Volume:
    """A label map on the case's grid; background where the mask's own grid does not reach.

    A mask may be stored on a part of the grid, as Slicer does, reach beyond it with background, or have its axes in
    another order or direction, as the same scan has in DICOM and in NIfTI.

    Args:
        mask: uint8 (k, j, i) on an LPS grid.
        grid: The case's.
        extent: Whether a mask on a part of the grid, or beyond it, is welcome. Whoever saves the whole scan and has
            another shape most likely drew on another scan.

    Raises:
        InputError: if the two lattices do not coincide voxel by voxel, the extent is not as wanted, or a
            label lies outside the case's grid.
    """
    name = mask.name
    mask = _with_axes_of(mask, grid)
    offset = tuple(int(v) for v in np.rint(grid.kji_of(np.asarray(mask.grid.origin))))
    place = Box.whole(mask.grid.shape).shift(offset)
    fits = grid.crop(place).same_frame(mask.grid, tolerance_mm=_SAME_PLACE_MM)
    if not fits or (extent is Extent.WHOLE and place != Box.whole(grid.shape)):
        difference = grid_difference(grid, mask.grid)
        raise InputError(
            f"'{name}' does not lie on the case's grid: {difference}.",
            advice="Make the mask on the case's scan, or resample it to that scan first.",
        )
    if place == Box.whole(grid.shape):
        return Volume(mask.array, grid, name=name)
    array = np.zeros(grid.shape, np.uint8)
    inside = place.clip(grid.shape)
    if not inside.is_empty:
        array[inside.slices] = mask.array[inside.shift(tuple(-o for o in offset)).slices]
    if np.count_nonzero(array) != np.count_nonzero(mask.array):
        raise InputError(
            f"'{name}' has labels outside the case's scan.", advice="Give a mask that was made on this scan."
        )
    return Volume(array, grid, name=name)


def _with_axes_of(mask: Volume, grid: Grid) -> Volume:
    """The same voxels in the same places, with the axes along the grid's where they are parallel to them."""
    along = grid.direction_matrix.T @ mask.grid.direction_matrix
    turned = np.rint(along)
    if np.abs(along - turned).max() > 1e-4 or np.array_equal(turned, np.eye(3)):
        return mask
    # Axis a of the grid (i, j, k) is axis source[a] of the mask; arrays count the axes the other way round.
    source = np.argmax(np.abs(turned), axis=1)
    backwards = [bool(turned[a, source[a]] < 0) for a in range(3)]
    array = mask.array.transpose([2 - int(source[2 - axis]) for axis in range(3)])
    array = np.flip(array, [axis for axis in range(3) if backwards[2 - axis]])
    corner = np.zeros(3)
    for a in range(3):
        corner[2 - source[a]] = mask.grid.shape[2 - source[a]] - 1 if backwards[a] else 0
    spacing = tuple(mask.grid.spacing[int(axis)] for axis in source)
    origin = tuple(mask.grid.lps_of(corner))
    return Volume(np.ascontiguousarray(array), Grid(array.shape, spacing, origin, grid.direction), name=mask.name)


def _numbers(values: tuple[float, ...]) -> str:
    return " x ".join(f"{value:.4g}" for value in values)
