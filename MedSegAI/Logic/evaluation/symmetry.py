"""How alike the left and the mirrored right side of a segmentation are: a plausibility check, not an accuracy.

The hippocampi of a person are nearly but not exactly symmetric, so on a symmetric template (ICBM152 2009 nonlinear
symmetric) a model that treats both sides alike reaches a high Dice; on a patient a low one may well be disease.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import LabelError
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.volume import Volume


@dataclass(frozen=True)
class Symmetry:
    """One structure compared over the mid-sagittal plane.

    Args:
        structure: Key of the structure without its side, or "whole" for all structures of a side together.
        dice: Dice coefficient 0..1 of the left and the mirrored right mask; None where both are empty.
        left_ml: Volume of the left mask in mL.
        right_ml: Volume of the right mask in mL.
    """

    structure: str
    dice: float | None
    left_ml: float
    right_ml: float


def left_right_symmetry(labels: Volume, table: LabelTable, *, mid_plane_x_mm: float = 0.0) -> tuple[Symmetry, ...]:
    """Compare each ``left_...`` label with its ``right_...`` counterpart, and both sides as a whole.

    Args:
        labels: Label map (k, j, i), uint8, of a head whose mid-sagittal plane is ``x = mid_plane_x_mm``.
        table: Its labels; pairs are found by the keys ``left_NAME`` and ``right_NAME``.
        mid_plane_x_mm: Where the plane of symmetry crosses the LPS (or RAS) x axis, mm.

    Returns:
        One entry a pair in the table's order, then "whole". Voxels are mirrored by nearest neighbour.

    Raises:
        LabelError: if the table holds no pair of sides.
    """
    values = {label.key: label.value for label in table}
    structures = [key.removeprefix("left_") for key in values if key.startswith("left_")]
    structures = [name for name in structures if f"right_{name}" in values]
    if not structures:
        raise LabelError("The segmentation has no labels of a left and a right side.", advice="Segment a whole head.")
    groups = [(name, (name,)) for name in structures] + [("whole", tuple(structures))]
    return tuple(
        _compare(
            name,
            labels,
            [values[f"left_{member}"] for member in members],
            [values[f"right_{member}"] for member in members],
            mid_plane_x_mm,
        )
        for name, members in groups
    )


def _compare(name: str, labels: Volume, left: list[int], right: list[int], mid_plane_x_mm: float) -> Symmetry:
    in_left, in_right = np.isin(labels.array, left), np.isin(labels.array, right)
    counts = int(in_left.sum()), int(in_right.sum())
    shared = int(_at_mirrored_places(labels, in_left, in_right, mid_plane_x_mm).sum())
    ml = labels.grid.voxel_volume_ml
    dice = 2 * shared / sum(counts) if sum(counts) else None
    return Symmetry(name, dice, counts[0] * ml, counts[1] * ml)


def _at_mirrored_places(labels: Volume, mask: np.ndarray, other: np.ndarray, mid_plane_x_mm: float) -> np.ndarray:
    """For each voxel of ``mask``, whether ``other`` holds the voxel nearest to its mirror image; 1D bool."""
    points = labels.grid.lps_of(np.argwhere(mask))
    points[:, 0] = 2 * mid_plane_x_mm - points[:, 0]
    voxels = np.rint(labels.grid.kji_of(points)).astype(int)
    inside = np.all((voxels >= 0) & (voxels < labels.grid.shape), axis=1)
    found = np.zeros(len(voxels), dtype=bool)
    found[inside] = other[tuple(voxels[inside].T)]
    return found
