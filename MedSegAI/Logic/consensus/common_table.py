"""The table of labels under which several segmentations are compared."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from MedSegAI.Logic.errors import LabelError
from MedSegAI.Logic.files.slicer_segments import plain_table
from MedSegAI.Logic.label_counts import label_counts
from MedSegAI.Logic.labels import LabelTable


def common_table(tables: Mapping[str, LabelTable], wanted: LabelTable | None = None) -> LabelTable:
    """The labels that all segmentations share, matched by key.

    A segmentation that names its labels must have exactly the same keys as the others. A plain label map names
    nothing: its table lists the values that occur, so it may lack labels that its rater drew nowhere, and it is
    matched by value where ``wanted`` is given.

    Args:
        tables: The table of each rater's segmentation; at least one.
        wanted: The table to use; None takes the first, or of plain label maps the one with the most labels.

    Raises:
        LabelError: if the labels differ; the sentence names raters and labels.
    """
    reference = wanted
    if wanted is None:
        source = next((name for name, table in tables.items() if not _names_nothing(table)), None)
        source = source or max(tables, key=lambda name: len(tables[name]))
        reference = tables[source]
    else:
        source = None
    for name, table in tables.items():
        missing, unknown = _differences(table, reference)
        if unknown or (missing and not _names_nothing(table)):
            expected = f"the labels of '{source}'" if source else "the labels asked for"
            raise LabelError(
                f"The labels of '{name}' are not {expected}: " + "; ".join(_in_words(missing, unknown)) + ".",
                advice="Give all segmentations the same labels, or say which table of labels is meant.",
            )
    return reference


def renamed(labels: np.ndarray, rater: str, table: LabelTable, common: LabelTable) -> np.ndarray:
    """A label map (k, j, i) uint8 with the values of the common table; the input itself where they are its own.

    Raises:
        LabelError: if the map holds a value that its own table does not name.
    """
    values = {label.value: _value_in(common, label.key, label.value, _names_nothing(table)) for label in table}
    target = np.zeros(256, np.uint8)
    known = np.zeros(256, bool)
    known[0] = True
    for mine, theirs in values.items():
        target[mine], known[mine] = theirs, True
    present = np.flatnonzero(label_counts(labels))
    unnamed = present[~known[present]]
    if unnamed.size:
        raise LabelError(
            f"The segmentation of '{rater}' holds values without a name: {unnamed.tolist()}.",
            advice="Add them to its label table, or save it again.",
        )
    return labels if np.array_equal(target[present], present) else target[labels]


def _names_nothing(table: LabelTable) -> bool:
    return table == plain_table([label.value for label in table])


def _differences(table: LabelTable, reference: LabelTable) -> tuple[list[str], list[str]]:
    """The labels that the table lacks, and those that the reference lacks."""
    keys, wanted = {label.key for label in table}, {label.key for label in reference}
    if _names_nothing(table) and not _names_nothing(reference):
        values, known = {label.value for label in table}, {label.value for label in reference}
        return [str(v) for v in sorted(known - values)], [f"label_{v}" for v in sorted(values - known)]
    return sorted(wanted - keys), sorted(keys - wanted)


def _value_in(common: LabelTable, key: str, value: int, names_nothing: bool) -> int:
    by_key = {label.key: label.value for label in common}
    return value if names_nothing else by_key[key]


def _in_words(missing: list[str], unknown: list[str]) -> list[str]:
    parts = []
    if unknown:
        parts.append(f"it has {', '.join(unknown)}, which they lack")
    if missing:
        parts.append(f"it lacks {', '.join(missing)}")
    return parts
