"""A digest of what a label map says: which voxels each structure has."""

from __future__ import annotations

import hashlib

import numpy as np

from MedSegAI.Logic.label_counts import label_counts, refuse_unnamed
from MedSegAI.Logic.labels import LabelTable

_FIRST_LINE = "MedSegAI labels 1"


def labels_digest(labels: np.ndarray, table: LabelTable) -> str:
    """SHA-256, as hex, of which voxels each label's key has.

    It depends on the shape, the keys of the labels that have voxels, and those voxels: not on how the labels are
    numbered, named or coloured, nor on labels without voxels, nor on where the grid lies in the patient.

    Args:
        labels: uint8 label map (k, j, i).
        table: The names of its values.

    Raises:
        LabelError: if the map holds a value that ``table`` does not name.
    """
    counts = label_counts(labels)
    if counts.sum() != counts[[0, *(label.value for label in table)]].sum():
        refuse_unnamed(labels, table)
    present = sorted((label.key, label.value) for label in table if counts[label.value])
    ranks = np.zeros(256, np.uint8)
    for rank, (_, value) in enumerate(present, start=1):
        ranks[value] = rank
    head = [_FIRST_LINE, " ".join(map(str, labels.shape)), *(key for key, _ in present)]
    digest = hashlib.sha256("\n".join([*head, ""]).encode())
    for plane in labels:
        digest.update(np.ascontiguousarray(ranks[plane]).data)
    return digest.hexdigest()
