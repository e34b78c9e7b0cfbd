"""``medsegai dicom check``: whether a folder conforms to the standard, and whether it can be segmented."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.errors import BAD_INPUT_EXIT_CODE
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.progress import ConsoleReporter

if TYPE_CHECKING:
    from MedSegAI.Logic.dicom_check.finding import CheckReport, SeriesReport

_EXIT_CODES = """exit code:
  0  at least one scan can be read as a volume, whatever else was found
  2  nothing can be read as a volume; with --strict also where any finding is an error or hinders a segmentation
"""


def add_parser(actions: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``check``."""
    parser = actions.add_parser(
        "check",
        parents=[common],
        help="check a folder against the DICOM standard and against what a segmentation needs",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, help="a folder with DICOM files, or one file")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the whole report as one page of HTML")
    parser.add_argument(
        "--all",
        action="store_true",
        dest="all_files",
        help="let the validator look at every file (default: first, middle, last and all that differ)",
    )
    parser.add_argument("--strict", action="store_true", help="leave with 2 for any error or hindrance")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.dicom_check.check import check_dicom

    if options.html is not None:
        refuse_unusable([Output("--html", options.html, (".html", ".htm"))], inputs=[options.source])
    report = check_dicom(options.source, all_files=options.all_files, reporter=reporter)
    if options.html is not None:
        _write_page(report, options.html)
    failed = not report.usable or (options.strict and not report.clean)
    return Outcome(report.to_plain(), tuple(_lines(report, options.html)), BAD_INPUT_EXIT_CODE if failed else 0)


def _write_page(report: CheckReport, path: Path) -> None:
    from MedSegAI.Logic.dicom_check.page import check_page
    from MedSegAI.Logic.files.atomic import write_beside

    created = datetime.datetime.now().astimezone().isoformat(" ", timespec="minutes")
    with write_beside(path) as beside:
        beside.write_text(check_page(report, created=created), encoding="utf-8")


def _lines(report: CheckReport, page: Path | None) -> list[str]:
    from MedSegAI.Logic.dicom_check.verdict import summary_sentence

    lines = [summary_sentence(report), *report.notes]
    for series in report.series:
        lines += ["", *_series_lines(series)]
    return [*lines, "", f"The whole report: {page}" if page else "The whole report: add --html FILE, or --json."]


def _series_lines(series: SeriesReport) -> list[str]:
    """Our own findings in full; of the validator's only how many there are."""
    from MedSegAI.Logic.dicom_check.plain_words import RULE
    from MedSegAI.Logic.dicom_check.verdict import verdict_sentence

    number = "" if series.number is None else f"{series.number}: "
    lines = [f"{number}{series.description or 'no description'} ({series.modality or 'unknown kind'})"]
    lines.append(f"  {verdict_sentence(series)}")
    standard = [finding for finding in series.findings if finding.rule == RULE]
    for finding in series.findings:
        if finding.rule != RULE or finding.hinders:
            mark = "!" if finding.hinders else "-"
            lines.append(f"  {mark} {finding.title}. {finding.meaning} {finding.advice}")
    if standard:
        remarks = "1 remark" if len(standard) == 1 else f"{len(standard)} remarks"
        lines.append(f"  - The standard's validator makes {remarks}.")
    return lines
