"""``medsegai evaluate roc``: areas under curves from a table of scores, with DeLong's intervals and tests."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.written_tables import write_table


def add_parser(kinds: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``evaluate roc``."""
    parser = kinds.add_parser("roc", parents=[common], help="ROC and precision-recall curves of a table of scores")
    parser.add_argument("table", type=Path, metavar="TABLE.csv", help="one row a case, with a heading line")
    parser.add_argument("--truth", required=True, metavar="COLUMN", help="says 1 where a case is positive, else 0")
    parser.add_argument(
        "--score",
        action="append",
        default=[],
        dest="scores",
        metavar="COLUMN",
        help="the higher, the more positive; given several times, each pair is tested",
    )
    parser.add_argument("--subject", metavar="COLUMN", help="whose case it is, where one subject has several")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the curves, as .png or .html")
    parser.add_argument("-o", "--output", type=Path, metavar="FIGURES.json", help="write every figure as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, _reporter: ConsoleReporter) -> Outcome:
    """Measure, show, and draw and write where that was asked for."""
    from MedSegAI.Logic.evaluation.case_curves import measure_case_curves
    from MedSegAI.Logic.files.score_table import read_score_table

    if not options.scores:
        raise UsageError("No score was named.", advice="Give --score COLUMN, once for each score.")
    outputs = [Output("-o", options.output, (".json",))] if options.output is not None else []
    if options.plot is not None:
        outputs.append(Output("--plot", options.plot, (".png", ".html")))
    refuse_unusable(outputs, inputs=[options.table])
    table = read_score_table(options.table, truth=options.truth, scores=options.scores, subject=options.subject)
    curves = measure_case_curves(table)
    lines = curves.to_text().rstrip("\n").splitlines()
    if options.plot is not None:
        from MedSegAI.Logic.report.curve_report import draw_case_curves

        draw_case_curves(options.plot, table, curves, title=f"{options.truth} in {options.table.name}")
        lines.append(f"Written: {options.plot}")
    if options.output is not None:
        lines.append(write_table(options.output, json.dumps(curves.to_plain(), indent=2, ensure_ascii=False) + "\n"))
    return Outcome(curves.to_plain(), tuple(lines))
