"""Cases that experts reviewed, with their scans: what a model is judged anew on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from MedSegAI.Logic.consensus.fuse import fuse
from MedSegAI.Logic.corrections.case_ratings import case_ratings
from MedSegAI.Logic.corrections.training_set import FinalCorrection, final_corrections
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.recalibrate.card_cases import card_cases
from MedSegAI.Logic.volume import Volume


@dataclass(frozen=True)
class ReviewedCase:
    """A scan, and what its reviewers say is in it.

    Args:
        name: Name of the case's folder.
        corrections: The final word of each reviewer; more than one are fused with STAPLE.
        time: When the last of them was written.
    """

    name: str
    corrections: tuple[FinalCorrection, ...]
    time: datetime

    @property
    def scan(self) -> Path:
        """Where the scan lies."""
        return self.corrections[0].scan

    @property
    def reviewers(self) -> tuple[str, ...]:
        """Who reviewed it."""
        return tuple(one.entry.rater for one in self.corrections)

    def reference(self) -> Segmentation:
        """The labels (k, j, i) uint8 on the scan's grid that count as right, under their own table.

        Raises:
            InputError: if a file of the journal was changed.
        """
        ratings = case_ratings(self.corrections[0].journal)
        labels = ratings.ratings[0].labels if len(ratings.ratings) == 1 else fuse(ratings).labels
        return Segmentation(Volume(labels, ratings.grid, name=self.name), ratings.table, None)


def reviewed_cases(folders: Sequence[str | os.PathLike[str]], model: Model, *, fewest: int) -> tuple[ReviewedCase, ...]:
    """The reviewed cases of these folders, in the order of their last word.

    A folder without a final correction is passed over: it is still being reviewed. One named twice counts once.

    Args:
        folders: Case folders, each with a ``journal.jsonl``.
        model: The model that is to be judged; none of its own validation cases may be among them.
        fewest: With fewer cases than this nothing is judged.

    Raises:
        InputError: if a journal cannot be read, a scan is missing or was changed, one scan is there twice, two
            cases have one name, a case was used to choose the model, or there are too few.
        ModelError: if the scores that came with the model are damaged.
    """
    by_folder: dict[Path, list[FinalCorrection]] = {}
    for one in final_corrections(list(dict.fromkeys(map(os.path.realpath, folders)))):
        by_folder.setdefault(one.journal.folder, []).append(one)
    cases = [ReviewedCase(folder.name, tuple(found), _last(found)) for folder, found in by_folder.items()]
    _refuse_one_name(cases)
    _refuse_twice(cases)
    _refuse_known(cases, model)
    if len(cases) < fewest:
        raise InputError(
            f"Only {len(cases)} of the cases are reviewed; a model is judged on {fewest} or more.",
            advice="Mark more corrections as final. With fewer cases chance decides more than the model does.",
        )
    return tuple(sorted(cases, key=lambda case: case.time))


def _last(corrections: Sequence[FinalCorrection]) -> datetime:
    return max(map(_time, corrections))


def _time(one: FinalCorrection) -> datetime:
    """When a correction was written; a time that does not say of which zone is UTC, as journals have it."""
    try:
        read = datetime.fromisoformat(one.entry.time.replace("Z", "+00:00"))
    except ValueError as error:
        raise InputError(
            f"Entry {one.entry.number} of the journal of '{one.journal.folder}' has no time: '{one.entry.time}'.",
            advice="Leave the case out: which way the model drifts cannot be told without times.",
        ) from error
    return read if read.tzinfo is not None else read.replace(tzinfo=timezone.utc)


def _refuse_one_name(cases: Sequence[ReviewedCase]) -> None:
    names = [case.name for case in cases]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InputError(f"Two cases are called '{twice}'.", advice="Rename one of their folders.")


def _refuse_twice(cases: Sequence[ReviewedCase]) -> None:
    seen: dict[str, str] = {}
    for case in cases:
        recorded = next((e.scan for e in reversed(case.corrections[0].journal.entries) if e.scan), None)
        if recorded is None:
            continue
        if other := seen.get(recorded.sha256):
            raise InputError(
                f"The cases '{other}' and '{case.name}' are about the same scan.",
                advice="Leave one of them out: a scan that counts twice makes the result look surer than it is.",
            )
        seen[recorded.sha256] = case.name


def _refuse_known(cases: Sequence[ReviewedCase], model: Model) -> None:
    """The cases on which the model was chosen look better than new ones."""
    measured = card_cases(model)
    known = set() if measured is None else {case.case for case in measured.cases}
    for case in cases:
        stem = case.scan.name.split(".")[0]
        if known & {case.name, stem}:
            raise InputError(
                f"The case '{case.name}' is one of those on which '{model.card.name}' was chosen.",
                advice="Leave it out: what is fitted on it would look better than it is.",
            )
