"""Which label values a label map holds, and how many voxels each of them has."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.errors import LabelError
from MedSegAI.Logic.labels import LabelTable


def label_counts(array: np.ndarray) -> np.ndarray:
    """Voxels of each value 0..255 in a uint8 label map (k, j, i): int64 (256,).

    Counted plane by plane, because numpy widens what it counts to eight bytes a voxel: 600 MiB for a whole CT.
    """
    counts = np.zeros(256, np.int64)
    for plane in array:
        counts += np.bincount(plane.ravel(), minlength=256)
    return counts


def label_values(array: np.ndarray) -> set[int]:
    """The values other than 0 that occur in a uint8 label map (k, j, i)."""
    return set(np.flatnonzero(label_counts(array)).tolist()) - {0}


def refuse_unnamed(array: np.ndarray, table: LabelTable) -> None:
    """Raise :class:`LabelError` where a uint8 label map (k, j, i) holds a value other than 0 that ``table`` lacks."""
    named = {label.value for label in table}
    # The highest value is found in a small part of the time that it takes to count them all.
    if named.issuperset(range(1, int(array.max(initial=0)) + 1)):
        return
    unnamed = label_values(array) - named
    if unnamed:
        raise LabelError(
            f"The label map holds values without a name: {sorted(unnamed)}.",
            advice="Add them to the label table, or use that of the model that made the map.",
        )
