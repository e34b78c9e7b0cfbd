"""``medsegai dicom list``: the series of a DICOM folder as a table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.errors import BAD_INPUT_EXIT_CODE
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter

if TYPE_CHECKING:
    from MedSegAI.Logic.files.dicom.found_series import FoundSeries

_UNKNOWN = "-"


def add_parser(actions: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``list``."""
    parser = actions.add_parser(
        "list",
        parents=[common],
        help="the series in a folder, a zip or some files, and which of them can be read as a volume",
    )
    parser.add_argument("source", nargs="+", type=Path, help="folders, zip files, a DICOMDIR or DICOM files")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.files.dicom.find_series import find_series

    found = find_series(options.source, reporter=reporter)
    facts = {"series": [one.to_plain() for one in found]}
    usable = any(one.usable for one in found)
    return Outcome(facts, tuple(_lines(found, options.source)), 0 if usable else BAD_INPUT_EXIT_CODE)


def _lines(found: tuple[FoundSeries, ...], sources: Sequence[Path]) -> list[str]:
    if not found:
        named = ", ".join(f"'{source}'" for source in sources)
        return [f"There is no DICOM file in {named}."]
    rows = [("SERIES", "KIND", "DESCRIPTION", "PATIENT", "DATE", "FILES", "SIZE", "SPACING MM", "UID")]
    for one in found:
        rows.append(
            (
                _UNKNOWN if one.number is None else str(one.number),
                one.modality or _UNKNOWN,
                one.description or _UNKNOWN,
                one.patient or _UNKNOWN,
                one.study_date or _UNKNOWN,
                str(one.file_count),
                _UNKNOWN if one.size is None else " x ".join(map(str, one.size)),
                _UNKNOWN if one.spacing is None else " x ".join(f"{value:.3g}" for value in one.spacing),
                one.uid or _UNKNOWN,
            )
        )
    lines = list(columns(rows))
    for one in found:
        name = one.description or one.uid or "unreadable files"
        if one.problem:
            lines.append(f"'{name}' cannot be read as a volume: {one.problem}")
        lines += [f"'{name}': {note}" for note in one.notes]
    return lines
