"""Radiologists' outlines as voxels of a scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.lidc_outlines import Outline, Reading
from MedSegAI.Logic.geometry import Box, Grid

_FARTHEST_FROM_PLANE = 0.3
"""In planes; an outline lies in a plane of its own scan, so more than rounding means another scan."""


@dataclass(frozen=True, eq=False)
class PlacedMask:
    """Voxels of a scan that are set, as the part of it that holds them.

    Args:
        box: Where the part lies in the scan.
        mask: bool (k, j, i), voxel by voxel the box.
    """

    box: Box
    mask: np.ndarray

    def within(self, box: Box) -> np.ndarray:
        """The voxels of another box of the same scan: bool, False beyond this part."""
        result = np.zeros(box.shape, bool)
        shared = Box(
            tuple(map(max, self.box.start, box.start)),
            tuple(max(a, b) for a, b in zip(map(max, self.box.start, box.start), map(min, self.box.stop, box.stop))),
        )
        if not shared.is_empty:
            mine, theirs = (shared.shift(tuple(-a for a in other.start)) for other in (self.box, box))
            result[theirs.slices] = self.mask[mine.slices]
        return result


def draw_reading(reading: Reading, grid: Grid) -> PlacedMask:
    """The voxels inside what one radiologist drew.

    LIDC's outlines run through the first pixels outside the nodule, so those are not set; a hole takes its own outline
    along, too. An outline that encloses no pixel sets none.

    Args:
        reading: Outlines in pixels of the scan's planes.
        grid: The scan's grid, LPS mm, with planes across z.

    Raises:
        InputError: if an outline lies in no plane of the scan or reaches over its edge.
    """
    planes = [_plane_of(outline, grid) for outline in reading.outlines]
    corners = np.concatenate([outline.pixels for outline in reading.outlines])
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    if left < 0 or top < 0 or right >= grid.shape[2] or bottom >= grid.shape[1]:
        raise _not_this_scan(grid)
    box = Box((min(planes), int(top), int(left)), (max(planes) + 1, int(bottom) + 1, int(right) + 1))
    mask = np.zeros(box.shape, bool)
    for encloses in (True, False):
        for outline, k in zip(reading.outlines, planes):
            if outline.encloses is encloses:
                _draw(mask[k - box.start[0]], outline, box)
    return PlacedMask(box, mask)


def centre_of(reading: Reading, drawn: PlacedMask, grid: Grid) -> np.ndarray:
    """LPS mm (3,) of the middle of the voxels drawn, or of the outlines' corners where these enclose none."""
    if drawn.mask.any():
        return grid.lps_of((np.argwhere(drawn.mask) + np.array(drawn.box.start)).mean(0))
    corners = [
        np.column_stack([np.full(len(outline.pixels), _plane_of(outline, grid)), outline.pixels[:, ::-1]])
        for outline in reading.outlines
    ]
    return grid.lps_of(np.concatenate(corners).mean(0))


def _draw(plane: np.ndarray, outline: Outline, box: Box) -> None:
    """Set, or for a hole clear, the pixels inside an outline in a plane (j, i) of the box."""
    from matplotlib.path import Path

    corners = outline.pixels - np.array([box.start[2], box.start[1]])
    rows, columns = corners[:, 1], corners[:, 0]
    if len(corners) > 2:
        j, i = np.indices(plane.shape).reshape(2, -1)
        inside = Path(np.append(corners, corners[:1], axis=0)).contains_points(np.column_stack([i, j]))
        inside = inside.reshape(plane.shape)
        inside[rows, columns] = False
        plane[inside] = outline.encloses
    if not outline.encloses:
        plane[rows, columns] = False


def _plane_of(outline: Outline, grid: Grid) -> int:
    along = grid.direction_matrix[2, 2]
    if abs(abs(along) - 1) > 1e-3:
        raise InputError(
            "The scan's planes do not lie across z, as those of LUNA16 do.", advice="Take the scan as it is published."
        )
    place = (outline.z_mm - grid.origin[2]) / (along * grid.spacing[2])
    if abs(place - round(place)) > _FARTHEST_FROM_PLANE or not 0 <= round(place) < grid.shape[0]:
        raise _not_this_scan(grid)
    return round(place)


def _not_this_scan(grid: Grid) -> InputError:
    return InputError(
        f"The radiologists' outlines do not fit the scan of {' x '.join(map(str, grid.size))} voxels.",
        advice="Take the scan as LUNA16 publishes it: neither resampled nor cropped.",
    )
