"""Voxels from one grid to another: copied where the lattices coincide, interpolated where they do not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.standardise.index_map import IndexMap
from MedSegAI.Logic.standardise.interpolate import interpolate, reach
from MedSegAI.Logic.standardise.interpolation import Interpolation
from MedSegAI.Logic.standardise.label_interpolation import interpolate_labels
from MedSegAI.Logic.standardise.lattice_copy import common_lattice, copy_voxels, dtype_that_holds
from MedSegAI.Logic.standardise.rounding import require_fits, rounded_to
from MedSegAI.Logic.standardise.target_grids import canonical_grid, grid_with_spacing
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    from MedSegAI.Logic.standardise.register import LinearTransform

__all__ = ["Interpolation", "canonical_grid", "grid_with_spacing", "resample", "resample_labels"]


def resample(
    volume: Volume,
    grid: Grid,
    *,
    interpolation: Interpolation = Interpolation.LINEAR,
    background: float | None = None,
    transform: LinearTransform | None = None,
    dtype: np.dtype | type | None = None,
) -> Volume:
    """The volume on another grid.

    Args:
        volume: Voxels (k, j, i) on an LPS grid.
        grid: Where the result's voxels lie, LPS mm; for another spacing take :func:`grid_with_spacing`.
        interpolation: How a value between voxel centres is made.
        background: Value outside the volume; None takes the volume's smallest value.
        transform: Takes LPS mm of ``grid`` to LPS mm of the volume, such as a registration found; None where both lie
            in the same space.
        dtype: Of the result: integers are rounded (never truncated) and stop at the dtype's limits, so the volume's own
            integer dtype can be asked for. None gives float32 for what was interpolated, and the volume's own dtype for
            what was copied.

    Returns:
        Where the two lattices coincide (a crop, pad, flip or permutation of axes, to a hundredth of a voxel) an exact
        copy. Else interpolated, after a Gaussian that suppresses what a grid more than 1.5 times coarser cannot show
        (Cardoso et al., "Scale factor point spread function matching", MICCAI 2015); ``NEAREST`` keeps values and dtype
        and smooths nothing. Half a voxel beyond the outermost voxel centres still counts as inside. After a transform
        the frame of reference is the grid's, which is not known here, so it is empty.

    Raises:
        InputError: for a background that the asked-for dtype cannot hold.
    """
    if background is None:
        background = float(volume.array.min())
    elif dtype is not None:
        require_fits(background, dtype)
    index_map = IndexMap.between(volume.grid, grid, transform)
    lattice = common_lattice(index_map, grid)
    if lattice is not None:
        copied = copy_voxels(volume.array, lattice, grid.shape, background)
        array = copied if dtype is None else rounded_to(copied, dtype)
    else:
        wanted = np.dtype(dtype or _interpolated_dtype(volume.array.dtype, interpolation, background))
        array = _interpolated(volume.array, index_map, grid, interpolation, background, wanted)
    frame = volume.frame_of_reference if transform is None else ""
    return replace(volume, array=array, grid=grid, frame_of_reference=frame)


def resample_labels(
    labels: Volume,
    grid: Grid,
    *,
    interpolation: Interpolation = Interpolation.LINEAR,
    transform: LinearTransform | None = None,
) -> Volume:
    """A label map on another grid, with no label that was not there.

    Each label is resampled linearly as a mask of its own and every voxel takes the label that fills most of it
    (background included, the lower value where two fill it alike), which keeps borders smoother than nearest
    neighbour does and never mixes values.

    Args:
        labels: Label map (k, j, i) of an unsigned integer dtype on an LPS grid.
        grid: Where the result's voxels lie, LPS mm; outside the map is background.
        interpolation: ``LINEAR`` as described; ``NEAREST`` takes the label of the nearest voxel.
        transform: Takes LPS mm of ``grid`` to LPS mm of the labels; None where both lie in the same space.

    Returns:
        A map of the same dtype; an exact copy where the two lattices coincide.

    Raises:
        InputError: for B-splines, which would make labels that are not there.
    """
    if interpolation is Interpolation.BSPLINE:
        raise InputError("Labels cannot be interpolated by B-splines.", advice="Choose linear or nearest.")
    index_map = IndexMap.between(labels.grid, grid, transform)
    if interpolation is Interpolation.NEAREST or common_lattice(index_map, grid) is not None:
        return resample(labels, grid, interpolation=Interpolation.NEAREST, background=0, transform=transform)
    result = interpolate_labels(labels.array, index_map, grid.shape)
    frame = labels.frame_of_reference if transform is None else ""
    return replace(labels, array=result, grid=grid, frame_of_reference=frame)


def _interpolated_dtype(dtype: np.dtype, interpolation: Interpolation, background: float) -> np.dtype:
    if interpolation is Interpolation.NEAREST:
        return dtype_that_holds(background, dtype)
    return np.dtype(np.float32)


def _interpolated(
    array: np.ndarray,
    index_map: IndexMap,
    grid: Grid,
    interpolation: Interpolation,
    background: float,
    dtype: np.dtype,
) -> np.ndarray:
    """Voxels (k, j, i) on ``grid``, from no more of the array than the grid can see."""
    margin = reach(index_map, interpolation)
    near = index_map.source_box(Box.whole(grid.shape), array.shape, margin=margin)
    if near.is_empty:
        return np.full(grid.shape, rounded_to(np.array(background), dtype), dtype=dtype)
    return interpolate(
        array[near.slices],
        index_map.between_parts(source_start=near.start),
        grid.shape,
        interpolation=interpolation,
        background=background,
        dtype=dtype,
    )
