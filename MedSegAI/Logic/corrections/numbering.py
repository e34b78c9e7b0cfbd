"""Label maps whose numbers differ although their structures are the same, brought to one numbering."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from MedSegAI.Logic.errors import LabelError
from MedSegAI.Logic.labels import LabelTable


def in_numbering_of(labels: np.ndarray, table: LabelTable, known: LabelTable) -> tuple[np.ndarray, LabelTable]:
    """A label map with the numbers that another table gives to the same keys.

    Args:
        labels: uint8 label map (k, j, i).
        table: The names of its values.
        known: The table whose numbers count. A key that it lacks keeps its number where ``known`` leaves it free, else
            gets the lowest free one.

    Returns:
        The map (the same array where no number changes) and its own table, renumbered.

    Raises:
        LabelError: if the two tables hold more than 255 structures together.
    """
    taken = {label.value for label in known} | {label.value for label in table}
    by_key = {label.key: label.value for label in known}
    new: dict[int, int] = {}
    for label in table:
        if label.key in by_key:
            new[label.value] = by_key[label.key]
        elif label.value in by_key.values():
            new[label.value] = _free(taken)
            taken.add(new[label.value])
        else:
            new[label.value] = label.value
    renumbered = LabelTable(tuple(replace(label, value=new[label.value]) for label in table))
    if all(old == value for old, value in new.items()):
        return labels, renumbered
    lookup = np.arange(256, dtype=np.uint8)
    lookup[list(new)] = list(new.values())
    return lookup[labels], renumbered


def joined(first: LabelTable, second: LabelTable) -> LabelTable:
    """All labels of both tables; where both have a key, the first one's name, colour and code.

    The second must be in the numbering of the first, as :func:`in_numbering_of` gives it.
    """
    keys = {label.key for label in first}
    return LabelTable((*first, *(label for label in second if label.key not in keys)))


def _free(taken: set[int]) -> int:
    value = next((value for value in range(1, 256) if value not in taken), None)
    if value is None:
        raise LabelError("There are more than 255 labels.", advice="Remove the labels that are not needed.")
    return value
