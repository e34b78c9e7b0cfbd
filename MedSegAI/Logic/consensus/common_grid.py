"""The grid on which several segmentations of one scan are compared, and how grids that differ are told apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box, Grid

_SAME_VOXEL = 0.01
_SAME_MM = 1e-3


class _Wish(str, Enum):
    MATCH = "match"
    JOIN = "join"
    RESAMPLE = "resample"


@dataclass(frozen=True)
class GridChoice:
    """What to do with segmentations whose grids differ; made by one of the three class methods.

    Args:
        wish: Which of the three.
        grid: Where to resample to; None for the first segmentation's grid.
    """

    wish: _Wish
    grid: Grid | None = None

    @classmethod
    def must_match(cls) -> GridChoice:
        """Refuse grids that differ, naming the difference."""
        return cls(_Wish.MATCH)

    @classmethod
    def join_extents(cls) -> GridChoice:
        """Accept grids that are parts of one lattice of voxels, and use the box around all of them.

        3D Slicer saves only the part of a scan that holds segments, so two raters' files of one scan differ in extent.
        Nothing is interpolated; outside a file is background.
        """
        return cls(_Wish.JOIN)

    @classmethod
    def resample_to_first(cls) -> GridChoice:
        """Resample all to the first segmentation's grid; outside a segmentation is background."""
        return cls(_Wish.RESAMPLE)

    @classmethod
    def resample_to(cls, grid: Grid) -> GridChoice:
        """Resample all to ``grid``; outside a segmentation is background."""
        return cls(_Wish.RESAMPLE, grid)


def common_grid(grids: Mapping[str, Grid], choice: GridChoice) -> Grid:
    """The grid to compare on.

    Args:
        grids: The grid of each rater's segmentation, LPS mm; at least one.
        choice: What to do where they differ.

    Raises:
        InputError: if they differ in a way that the choice does not accept, or do not touch where they are resampled.
    """
    names, first = list(grids), next(iter(grids.values()))
    if choice.wish is _Wish.RESAMPLE:
        target = choice.grid or first
        apart = next((name for name, grid in grids.items() if target.overlap(grid) == 0), None)
        if apart is not None:
            raise InputError(
                f"The segmentation of '{apart}' lies outside the grid that all are resampled to.",
                advice="Check that all segmentations are of the same scan.",
            )
        return target
    boxes = [Box.whole(first.shape)]
    for name in names[1:]:
        offset = _offset_in_lattice(first, grids[name])
        if choice.wish is _Wish.JOIN and offset is not None:
            boxes.append(Box.whole(grids[name].shape).shift(offset))
        elif not first.same_frame(grids[name]):
            raise _differ(names[0], name, first, grids[name], offset is not None)
    joined = boxes[0]
    for box in boxes[1:]:
        joined = joined.union(box)
    return first if joined == boxes[0] else first.crop(joined)


def difference_in_words(first: Grid, other: Grid) -> str:
    """In what two grids differ, with numbers; empty where they do not.

    Names shape (k, j, i), spacing in mm along (i, j, k), origin in LPS mm and the angle between the axes.
    """
    parts = []
    if first.shape != other.shape:
        parts.append(f"shape (k, j, i) {_numbers(first.shape)} and {_numbers(other.shape)}")
    if not np.allclose(first.spacing, other.spacing, atol=_SAME_MM, rtol=0):
        parts.append(f"spacing (i, j, k) {_numbers(first.spacing)} and {_numbers(other.spacing)} mm")
    shift = float(np.linalg.norm(np.subtract(first.origin, other.origin)))
    if shift > _SAME_MM:
        parts.append(f"origin {_numbers(first.origin)} and {_numbers(other.origin)}, {shift:.4g} mm apart")
    cosines = np.clip((first.direction_matrix * other.direction_matrix).sum(axis=0), -1, 1)
    degrees = float(np.degrees(np.arccos(cosines.min())))
    if degrees > _SAME_MM:
        parts.append(f"direction, by up to {degrees:.4g} degrees")
    if not parts and not first.same_frame(other):
        parts.append(f"the place of their corners, by {np.abs(first.corners_lps() - other.corners_lps()).max():.4g} mm")
    return "; ".join(parts)


def _differ(first_name: str, name: str, first: Grid, other: Grid, one_lattice: bool) -> InputError:
    mend = (
        "They are parts of one lattice: ask to join their extents, which changes no voxel."
        if one_lattice
        else "Ask for resampling to one grid, or check that they are of the same scan."
    )
    difference = difference_in_words(first, other)
    return InputError(
        f"The segmentations of '{first_name}' and '{name}' lie on different grids: {difference}.", advice=mend
    )


def _offset_in_lattice(first: Grid, other: Grid) -> tuple[int, int, int] | None:
    """Where the other's voxel (0, 0, 0) lies in the first's lattice (k, j, i); None if it has another lattice."""
    ends = np.array([[0, 0, 0], [n - 1 for n in other.shape]])
    in_first = first.kji_of(other.lps_of(ends))
    offset = np.round(in_first[0])
    # The far end shows a difference in spacing or direction at its largest; the axes must run the same way, too.
    same = np.abs(in_first - (ends + offset)).max() <= _SAME_VOXEL
    unit = first.kji_of(other.lps_of(np.eye(3))) - first.kji_of(other.lps_of(np.zeros(3)))
    return tuple(int(v) for v in offset) if same and np.abs(unit - np.eye(3)).max() <= _SAME_VOXEL else None


def _numbers(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ")"
