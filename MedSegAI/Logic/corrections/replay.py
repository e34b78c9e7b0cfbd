"""The label map as it was after any entry, made from the journal alone."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.corrections.entry import Entry
from MedSegAI.Logic.corrections.journal import Journal
from MedSegAI.Logic.corrections.label_files import read_array, read_table
from MedSegAI.Logic.corrections.labels_digest import labels_digest
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.volume import Volume


def replay(journal: Journal, *, upto: int | None = None, rater: str | None = None) -> Segmentation:
    """The segmentation as one rater left it, or as it was after one entry.

    Args:
        journal: The case's journal.
        upto: Number of the last entry that counts; None for all.
        rater: Whose work: the rater's latest entry up to there that was not withdrawn up to there. None takes entry
            ``upto`` itself, whoever made it (without ``upto``, the journal's last).

    Returns:
        Labels uint8 (k, j, i) on the case's grid, the names that the entry has, and how its base was made.

    Raises:
        InputError: if there is no such entry, the rater has none that counts, or a file of the journal was changed.
    """
    seen = journal if upto is None else journal.until(upto)
    if rater is None:
        return segmentation_after(seen, seen.entry(len(seen.entries)))
    entry = seen.standing(rater)
    if entry is None:
        known = ", ".join(seen.raters) or "none"
        raise InputError(
            f"'{rater}' has no correction in '{journal.folder}' that counts.", advice=f"Its raters: {known}."
        )
    return segmentation_after(seen, entry)


def segmentation_after(journal: Journal, entry: Entry) -> Segmentation:
    """The segmentation after one entry; returns and raises as :func:`replay`."""
    labels = np.zeros(entry.grid.shape, np.uint8)
    lineage = journal.lineage(entry)
    for step in lineage:
        if step.box is not None:
            labels[step.box.slices] = read_array(journal.folder, step.array, shape=step.box.shape)
    table = read_table(journal.folder, entry.table)
    if labels_digest(labels, table) != entry.result:
        raise InputError(
            f"Entry {entry.number} of '{journal.folder}' does not give the labels that its digest names.",
            advice="Restore the case's folder from a backup.",
        )
    name = journal.folder.resolve().name
    return Segmentation(Volume(labels, entry.grid, name=name), table, _provenance(lineage[0]))


def _provenance(base: Entry) -> Provenance | None:
    try:
        return Provenance.from_json(base.provenance) if base.provenance else None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"Entry {base.number} carries a record of its making that cannot be read.",
            advice="It was written by a newer version: update this one.",
        ) from error
