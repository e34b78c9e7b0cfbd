"""Places that a user points at: as they are written, where they lie, and the grid that is centred on one exactly."""

from __future__ import annotations

from enum import Enum

import numpy as np

from MedSegAI.Logic.errors import RegionError
from MedSegAI.Logic.geometry import Grid, Triple, swap_lps_and_ras
from MedSegAI.Logic.localise.region_of_interest import bounds_ras
from MedSegAI.Logic.standardise.resample import canonical_grid

_ROUNDING_VOXELS = 1e-6


class PointForm(str, Enum):
    """In which terms a point is written; the values are the command line's options."""

    RAS = "--point"
    LPS = "--point-lps"
    VOXEL = "--point-voxel"


_FORMS = {
    PointForm.RAS: "Write millimetres as Slicer shows them: R,A,S (such as -44.5,12,-30).",
    PointForm.LPS: "Write millimetres as DICOM has them: L,P,S (such as 44.5,-12,-30).",
    PointForm.VOXEL: "Write a voxel of the scan: i,j,k, counted from 0 (such as 210,180,95).",
}


def parse_point(text: str, form: PointForm) -> Triple:
    """The three numbers of a point as a user writes it.

    Raises:
        RegionError: if they are not three numbers; the advice shows how it is written.
    """
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != 3 or not np.all(np.isfinite(values)):
        raise RegionError(f"The point '{text}' could not be understood.", advice=_FORMS[form])
    return values


def point_ras(values: Triple, form: PointForm, grid: Grid) -> Triple:
    """A point of any form as (R, A, S) in mm; ``grid`` is that of the scan whose voxels are meant."""
    if form is PointForm.VOXEL:
        found = swap_lps_and_ras(grid.lps_of(np.array(values[::-1])))
    else:
        found = swap_lps_and_ras(values) if form is PointForm.LPS else np.array(values)
    return tuple(float(value) + 0.0 for value in found)


def refuse_outside(point: Triple, grid: Grid, *, name: str) -> None:
    """Refuse a point (R, A, S) mm that lies in none of the grid's voxels.

    Raises:
        RegionError: naming the scan, and its bounds in the same terms.
    """
    kji = grid.kji_of(swap_lps_and_ras(point))
    edge = 0.5 + _ROUNDING_VOXELS
    if np.any(kji < -edge) or np.any(kji > np.array(grid.shape) - 1 + edge):
        raise RegionError(
            f"The point {written(point)} (R, A, S) lies outside '{name}'.",
            advice=f"Choose it within the scan's {bounds_ras(grid)} (R, A, S, each from and to).",
        )


def point_grid(point: Triple, grid: Grid, *, size_mm: Triple, spacing_mm: Triple) -> Grid:
    """The grid of a model's space whose middle lies exactly on a point, to a fraction of a voxel.

    Args:
        point: (R, A, S) in mm.
        grid: The scan's grid, LPS mm: the new one runs along its axes, i nearest to Right, j to Anterior, k to
            Superior, as :func:`canonical_grid` has them.
        size_mm: Extent of the box along these axes (i, j, k) in mm, such as a card's ``point_box_mm``.
        spacing_mm: Spacing (i, j, k) of the model's space.

    Returns:
        A grid of ``round(size / spacing)`` voxels; the point lies at :func:`middle_of` it, which is a voxel's centre
        where the number of voxels is odd. It may reach over the scan's edge.
    """
    direction = canonical_grid(grid).direction_matrix
    spacing = np.array(spacing_mm, dtype=float)
    size = np.maximum(1, np.round(np.array(size_mm) / spacing)).astype(int)
    origin = swap_lps_and_ras(point) - direction @ (spacing * (size - 1) / 2)
    return Grid(tuple(int(n) for n in size[::-1]), tuple(spacing), tuple(origin), tuple(direction.ravel()))


def middle_of(grid: Grid) -> Triple:
    """The position (k, j, i) in voxels of a grid's middle; of a :func:`point_grid`, that of its point."""
    return tuple((count - 1) / 2 for count in grid.shape)


def box_around(point: Triple, size_mm: Triple) -> str:
    """The box of ``size_mm`` (R, A, S) around a point (R, A, S) mm, as a region of interest is written."""
    low = [value - size / 2 for value, size in zip(point, size_mm)]
    edges = (edge for start, size in zip(low, size_mm) for edge in (start, start + size))
    # Adding 0 makes of a rounded -0 a 0.
    return ",".join(f"{round(edge, 3) + 0.0:.10g}" for edge in edges)


def written(point: Triple) -> str:
    """A point as a person reads it: mm to one decimal."""
    return ", ".join(f"{round(value, 1) + 0.0:.1f}" for value in point)
