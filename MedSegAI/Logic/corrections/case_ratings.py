"""The raters' latest words on a case, side by side on one grid under one table: what is fused and compared."""

from __future__ import annotations

from collections.abc import Collection

from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.corrections.entry import Status
from MedSegAI.Logic.corrections.journal import Journal
from MedSegAI.Logic.corrections.numbering import in_numbering_of, joined
from MedSegAI.Logic.corrections.replay import segmentation_after
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.labels import LabelTable


def case_ratings(
    journal: Journal, *, raters: Collection[str] | None = None, statuses: Collection[Status] = (Status.FINAL,)
) -> Ratings:
    """What each rater says now.

    Args:
        journal: The case's journal.
        raters: Whose; None for all who have an entry that counts.
        statuses: Which entries count, such as final ones only; withdrawn ones never do.

    Returns:
        One rating a rater, in the order of their first entries; all in one numbering, under the joined table.

    Raises:
        InputError: if nobody has an entry that counts, or a file of the journal was changed.
    """
    table = LabelTable(())
    ratings, grid = [], None
    for rater in journal.raters:
        entry = journal.standing(rater)
        if entry is None or entry.status not in statuses or (raters is not None and rater not in raters):
            continue
        state = segmentation_after(journal, entry)
        labels, own = in_numbering_of(state.labels.array, state.table, table)
        table, grid = joined(table, own), entry.grid
        ratings.append(Rating(rater, labels))
    if grid is None:
        wanted = " or ".join(status.value for status in statuses)
        raise InputError(
            f"'{journal.folder}' holds no {wanted} correction of the raters asked for.",
            advice="Mark corrections as final, or choose other raters.",
        )
    return Ratings(grid, table, tuple(ratings))
