"""``medsegai dicom deidentify``: a folder of DICOM files without what tells whom they show."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.progress import ConsoleReporter

if TYPE_CHECKING:
    from MedSegAI.Logic.files.dicom.deidentify.deidentify_folder import Deidentified

_DATES = ("remove", "shift", "keep")
_KEPT = ("patient", "device", "institution", "private", "descriptions")
_NAMED_LEFT_OUT = 5


def add_parser(actions: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``deidentify``."""
    parser = actions.add_parser(
        "deidentify", parents=[common], help="take names, numbers, dates and places out of DICOM files (PS3.15)"
    )
    parser.add_argument("source", type=Path, metavar="DIR", help="a folder with DICOM files, or one file")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    parser.add_argument(
        "--dates",
        choices=_DATES,
        default="remove",
        help="'shift' moves all dates of a patient by the same secret number of days (default: %(default)s)",
    )
    parser.add_argument(
        "--keep",
        type=_kept,
        default=[],
        metavar="LIST",
        help=f"what to keep although the basic profile takes it away, of {','.join(_KEPT)}",
    )
    parser.add_argument(
        "--map",
        type=Path,
        metavar="FILE.json",
        help="keep the secret key and the new names here, so that later files get the same; keep it apart",
    )
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="what was changed, without the values")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.files.atomic import write_beside
    from MedSegAI.Logic.files.dicom.deidentify.choices import Dates, DeidentifyChoices, Kept
    from MedSegAI.Logic.files.dicom.deidentify.deidentify_folder import deidentify_folder
    from MedSegAI.Logic.files.dicom.deidentify.pseudonyms import Pseudonyms, read_pseudonyms, write_pseudonyms

    _refuse_map_among_files(options)
    _refuse_unusable_files(options)
    choices = DeidentifyChoices(Dates(options.dates), frozenset(map(Kept, options.keep)))
    pseudonyms = Pseudonyms() if options.map is None else read_pseudonyms(options.map)
    done = deidentify_folder(options.source, options.output, choices=choices, pseudonyms=pseudonyms, reporter=reporter)
    if options.map is not None:
        write_pseudonyms(options.map, pseudonyms)
    if options.report is not None:
        with write_beside(options.report) as beside:
            beside.write_text(json.dumps(done.to_plain(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Outcome({"folder": str(options.output), **done.to_plain()}, tuple(_lines(options, done)))


def _refuse_map_among_files(options: argparse.Namespace) -> None:
    if options.map is None:
        return
    place = options.map.expanduser().resolve()
    if options.output.expanduser().resolve() in place.parents:
        raise UsageError(
            f"--map '{options.map}' would lie among the de-identified files, and whoever has it can undo that.",
            advice="Keep it in another folder.",
        )


def _refuse_unusable_files(options: argparse.Namespace) -> None:
    """Before the work: with the map that could not be written, the key would be lost and the copies could stay."""
    asked = [("--map", options.map), ("--report", options.report)]
    outputs = [Output(option, path, (".json",)) for option, path in asked if path is not None]
    refuse_unusable(outputs, inputs=[options.source])


def _lines(options: argparse.Namespace, done: Deidentified) -> list[str]:
    removed = sum(times for _, what, times in done.changes if what == "removed")
    other = sum(times for _, what, times in done.changes if what != "removed")
    lines = [
        f"De-identified into {options.output}. Patients: {done.patients}, files: {done.files}, "
        f"attributes removed: {removed}, emptied or replaced: {other}."
    ]
    named = ", ".join(f"'{path}' ({reason})" for path, reason in done.left_out[:_NAMED_LEFT_OUT])
    if named:
        more = len(done.left_out) - _NAMED_LEFT_OUT
        lines.append(f"Left out: {named}{f' and {more} more' if more > 0 else ''}.")
    if options.map is not None:
        lines.append(f"The key and the new names are in {options.map}: whoever has them can undo this.")
    return lines + list(done.warnings)


def _kept(text: str) -> list[str]:
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    if any(part not in _KEPT for part in wanted):
        raise argparse.ArgumentTypeError(f"'{text}' is no list of {', '.join(_KEPT)}")
    return wanted
