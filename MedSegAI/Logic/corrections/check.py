"""Whether a case's journal is whole: its chain, the files it points to, and the labels that they give."""

from __future__ import annotations

import os

from MedSegAI.Logic.corrections.journal import read_journal
from MedSegAI.Logic.corrections.replay import segmentation_after
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled


def problems_of(folder: str | os.PathLike[str], *, reporter: Reporter) -> tuple[str, ...]:
    """What is wrong with a case's journal, as sentences; none where every entry can be replayed.

    Raises:
        InputError: if there is no journal, or its chain is broken (then no entry can be trusted).
    """
    journal = read_journal(folder)
    problems = []
    for done, entry in enumerate(journal.entries):
        reporter.progress(done, len(journal.entries), "replaying")
        raise_if_cancelled(reporter)
        try:
            segmentation_after(journal, entry)
        except (InputError, LabelError) as error:
            problems.append(f"Entry {entry.number}: {error.problem}")
    return tuple(problems)
