"""A region of interest as a user writes it."""

from __future__ import annotations

import re

import numpy as np

from MedSegAI.Logic.errors import RegionError
from MedSegAI.Logic.geometry import Box, Grid, box_corners_lps, swap_lps_and_ras
from MedSegAI.Logic.reporter import Reporter

_FORMS = (
    "Write millimetres as Slicer shows them, x0,x1,y0,y1,z0,z1 (R, A, S; such as -44,-8,-46,4,-34,8), "
    "or voxels, i0:i1,j0:j1,k0:k1 (such as 10:60,20:90,0:40)."
)
_VOXELS = re.compile(r"(-?\d+):(-?\d+)")


def parse_region(text: str, grid: Grid, *, reporter: Reporter) -> Box:
    """The voxels (k, j, i) of a volume that a user's region means.

    Args:
        text: ``x0,x1,y0,y1,z0,z1`` in RAS mm (every voxel whose centre may lie between the corners of that block), or
            ``i0:i1,j0:j1,k0:k1`` in voxels, from i0 up to but not with i1.
        grid: The volume's grid, LPS mm.
        reporter: Told when a part of the region lies outside and is cut off.

    Raises:
        RegionError: if the text is neither, the region is empty, or it lies outside the volume; the advice gives the
            volume's own bounds in the same terms.
    """
    parts = [part.strip() for part in text.split(",")]
    matches = [_VOXELS.fullmatch(part) for part in parts]
    if len(parts) == 3 and all(matches):
        edges = [(int(match[1]), int(match[2])) for match in matches]
        wanted = Box(tuple(a for a, _ in reversed(edges)), tuple(b for _, b in reversed(edges)))
        bounds = ",".join(f"0:{n}" for n in grid.size)
    else:
        wanted = Box.inside(grid.kji_of(box_corners_lps(_millimetres(parts, text))))
        bounds = bounds_ras(grid)
    if wanted.is_empty:
        raise RegionError(f"The region '{text}' holds no voxel.", advice=f"Make it larger. {_FORMS}")
    inside = wanted.clip(grid.shape)
    if inside.is_empty:
        raise RegionError(
            f"The region '{text}' lies outside the scan.", advice=f"Choose it within the scan's {bounds}."
        )
    if inside != wanted:
        reporter.message(f"A part of the region '{text}' lies outside the scan ({bounds}) and was cut off.")
    return inside


def _millimetres(parts: list[str], text: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in parts)
    except ValueError:
        values = ()
    if len(values) != 6 or not np.all(np.isfinite(values)):
        raise RegionError(f"The region '{text}' could not be understood.", advice=_FORMS)
    if any(values[axis] >= values[axis + 1] for axis in (0, 2, 4)):
        raise RegionError(
            f"The region '{text}' is empty: in each pair the first number must be the smaller.", advice=_FORMS
        )
    return values


def bounds_ras(grid: Grid) -> str:
    """The bounds of a grid as a user writes a region: x0,x1,y0,y1,z0,z1 in RAS mm, to a tenth."""
    ras = swap_lps_and_ras(grid.corners_lps())
    return ",".join(
        f"{round(edge, 1) + 0.0:.1f}" for axis in range(3) for edge in (ras[:, axis].min(), ras[:, axis].max())
    )
