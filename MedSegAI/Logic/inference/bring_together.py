"""The scans of a case brought into one space before a run, as the user wants it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from MedSegAI.Logic.align.alignment import Alignment, Verdict
from MedSegAI.Logic.align.check import Fit, SpaceCheck, check_spaces
from MedSegAI.Logic.align.move import as_it_lies, moved
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.volume import Volume

Align = Callable[[Volume, Volume], Alignment]
"""``align(moving, reference)``: registers the one to the other, here or in a worker."""


class AlignChoice(str, Enum):
    """Which scans are registered to the reference before a run."""

    AUTO = "auto"
    """Those of which nothing says that they lie in its space."""
    NEVER = "never"
    """None: what lies elsewhere is taken as it lies, and the record says so."""
    ALWAYS = "always"
    """All: also scans of one frame of reference, because a patient moves."""


def bring_together(case: InputScans, choice: AlignChoice, *, align: Align, reporter: Reporter) -> InputScans:
    """The case with every scan in the space of its reference; voxels stay as they are.

    Args:
        case: The scans, as they were read.
        choice: Which of them to register.
        align: Registers one.
        reporter: Told what was done to each.

    Raises:
        InputError: if scans are of different patients or do not overlap, or one could not be aligned.
        Cancelled: if the user asked to stop.
    """
    names = list(case.by_name)
    placed: dict[str, Volume] = {}
    for name, found in zip(names, check_spaces(tuple(case.by_name.values()), case.on)):
        scan = case.by_name[name]
        if found.fit is Fit.REFUSED:
            raise InputError(found.sentence, advice=found.advice)
        placed[name] = scan if scan is case.on else _placed(scan, case.on, found, choice, align, reporter)
    return replace(case, by_name=placed)


def refuse_failed(alignment: Alignment) -> None:
    """Refuse an alignment that is not to be used.

    Raises:
        InputError: if its verdict is that it failed.
    """
    if alignment.quality.verdict is Verdict.FAILED:
        raise InputError(
            f"'{alignment.moving}' could not be aligned to '{alignment.reference}'. {alignment.sentence()}",
            advice="Check that both show the same part of the same patient, or align them by hand.",
        )


def _placed(
    scan: Volume, reference: Volume, found: SpaceCheck, choice: AlignChoice, align: Align, reporter: Reporter
) -> Volume:
    if choice is AlignChoice.ALWAYS or (choice is AlignChoice.AUTO and found.fit is Fit.NEEDS_REGISTRATION):
        if found.fit is Fit.NEEDS_REGISTRATION:
            reporter.message(f"{found.sentence} Registering.")
        alignment = align(scan, reference)
        refuse_failed(alignment)
        reporter.message(alignment.sentence())
        if alignment.quality.verdict is Verdict.DOUBTFUL:
            reporter.message(f"The alignment of '{scan.name}' is doubtful: look at it before you trust the result.")
        return moved(scan, alignment, reference=reference)
    if found.fit is Fit.NEEDS_REGISTRATION:
        taken = as_it_lies(scan, reference=reference)
        reporter.message(taken.steps[-1].sentence)
        return taken
    return scan
