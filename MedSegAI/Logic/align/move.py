"""A scan put where it belongs in another scan's space: its grid moves rigidly, its voxels stay untouched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from MedSegAI.Logic.align.alignment import Alignment
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Volume

AS_IT_LIES_STEP = "as-it-lies"
_RIGID_TOLERANCE = 1e-6


def moved(moving: Volume, alignment: Alignment, *, reference: Volume) -> Volume:
    """The moving scan in the reference's space.

    Nothing is interpolated: a rigid map takes a grid to a grid. The scan then belongs to the reference's frame of
    reference and carries a record of the alignment, which says how to undo it.

    Args:
        moving: The scan (k, j, i) as it was registered, LPS mm.
        alignment: Its alignment to the reference.
        reference: The scan that it was aligned to.

    Raises:
        InputError: if the transform is not rigid.
    """
    grid = moved_grid(moving.grid, alignment.moving_to_reference)
    steps = (*moving.steps, alignment.record())
    return replace(moving, grid=grid, frame_of_reference=reference.frame_of_reference, steps=steps)


def as_it_lies(scan: Volume, *, reference: Volume) -> Volume:
    """The scan taken to lie in the reference's space already, because a person said so; the record says that.

    Args:
        scan: The scan, at its place in LPS mm.
        reference: The scan whose space it is taken to share.
    """
    record = StepRecord(
        AS_IT_LIES_STEP,
        f"'{scan.name}' was taken to lie in the same space as '{reference.name}', without registration.",
        {"reference": reference.name},
    )
    return replace(scan, frame_of_reference=reference.frame_of_reference, steps=(*scan.steps, record))


def moved_grid(grid: Grid, transform: LinearTransform) -> Grid:
    """The grid whose voxels lie where ``transform`` (LPS mm to LPS mm) puts those of ``grid``.

    Raises:
        InputError: if the transform is not rigid, so that the result would be no grid of the same spacing.
    """
    matrix = transform.array
    turn = matrix[:3, :3]
    if not np.allclose(turn @ turn.T, np.eye(3), atol=_RIGID_TOLERANCE) or np.linalg.det(turn) < 0:
        raise InputError("The transform is not rigid.", advice="Align the scans rigidly, or resample the scan first.")
    origin = turn @ np.array(grid.origin) + matrix[:3, 3]
    return replace(grid, origin=tuple(origin), direction=tuple((turn @ grid.direction_matrix).ravel()))
