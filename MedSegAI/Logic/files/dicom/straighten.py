"""A stack of planes that a tilted gantry shifted against each other, put straight by moving every plane back."""

from __future__ import annotations

import itertools

import numpy as np

from MedSegAI.Logic.files.dicom.stack import Stack
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.step_record import StepRecord

STRAIGHTEN = "straighten-gantry-tilt"


def straight_grid(stack: Stack) -> Grid:
    """The smallest grid with the planes, spacing and axes of the stack that holds every pixel of every plane, LPS mm.

    Each plane stays where it is along the normal, so nothing is interpolated between planes.
    """
    count, rows, columns = stack.grid.shape
    ends = [(0.0, shift * (count - 1)) for shift in stack.shift_mm]
    low = [min(end) for end in ends]
    right, down, _ = stack.grid.spacing
    more_columns, more_rows = (int(np.ceil((max(end) - min(end)) / mm - 1e-6)) for end, mm in zip(ends, (right, down)))
    axes = stack.grid.direction_matrix
    origin = np.asarray(stack.grid.origin) + axes[:, :2] @ np.array(low)
    return Grid(
        (count, rows + more_rows, columns + more_columns), stack.grid.spacing, tuple(origin), stack.grid.direction
    )


def straighten(array: np.ndarray, stack: Stack, *, outside: float) -> np.ndarray:
    """The voxels of a tilted stack on its straight grid, by linear interpolation within each plane.

    Args:
        array: Voxels (k, j, i) as they are stored, one plane of the stack for each k.
        stack: Where they lie.
        outside: Value where no plane reaches.

    Returns:
        Voxels (k, j, i) of :func:`straight_grid`, of the same type; integers are rounded.
    """
    grid = straight_grid(stack)
    start = (np.asarray(stack.grid.origin) - np.asarray(grid.origin)) @ stack.grid.direction_matrix[:, :2]
    result = np.empty(grid.shape, array.dtype)
    for k, plane in enumerate(array):
        i, j = (start + k * np.asarray(stack.shift_mm)) / np.asarray(grid.spacing[:2])
        result[k] = _moved(plane, float(j), float(i), shape=grid.shape[1:], outside=outside)
    return result


def straightening_record(stack: Stack) -> StepRecord:
    """What was done, for the record of the volume."""
    degrees = stack.tilt_degrees
    drift = [abs(shift) * (len(stack.planes) - 1) for shift in stack.shift_mm]
    return StepRecord(
        STRAIGHTEN,
        f"Straightened: the gantry was tilted by {degrees:.1f} degrees, so every slice was moved back within its own "
        f"plane (by up to {max(drift):.1f} mm, linear interpolation).",
        {"interpolation": "linear"},
        {
            "tilt_degrees": degrees,
            "shift_i_mm_per_slice": stack.shift_mm[0],
            "shift_j_mm_per_slice": stack.shift_mm[1],
        },
    )


def _moved(plane: np.ndarray, j: float, i: float, *, shape: tuple[int, int], outside: float) -> np.ndarray:
    """The plane (j, i) put down at fractional pixel (j, i) of a larger one of ``shape``."""
    (whole_j, part_j), (whole_i, part_i) = _split(j), _split(i)
    if part_j == 0 and part_i == 0:
        result = np.full(shape, outside, plane.dtype)
        result[whole_j : whole_j + plane.shape[0], whole_i : whole_i + plane.shape[1]] = plane
        return result
    wide = np.full((shape[0] + 1, shape[1] + 1), outside, np.float32 if plane.dtype.itemsize <= 2 else np.float64)
    total = np.zeros_like(wide)
    weights = itertools.product(((0, 1 - part_j), (1, part_j)), ((0, 1 - part_i), (1, part_i)))
    for (step_j, share_j), (step_i, share_i) in weights:
        if share_j * share_i == 0:
            continue
        wide[...] = outside
        top, left = whole_j + step_j, whole_i + step_i
        wide[top : top + plane.shape[0], left : left + plane.shape[1]] = plane
        total += share_j * share_i * wide
    total = total[: shape[0], : shape[1]]
    return (np.rint(total) if plane.dtype.kind in "iu" else total).astype(plane.dtype)


def _split(value: float) -> tuple[int, float]:
    """Whole and fractional part; what is whole but for rounding is whole."""
    near = round(value)
    if abs(value - near) < 1e-4:
        return int(near), 0.0
    return int(np.floor(value)), value - float(np.floor(value))
