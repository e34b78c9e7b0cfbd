"""``medsegai evaluate``: a model measured on labelled cases, as a table and as JSON."""

from __future__ import annotations

import argparse
from pathlib import Path

from MedSegAI.CommandLine.case_options import add_compute_options
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.progress import ConsoleReporter


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``evaluate``."""
    parser = commands.add_parser("evaluate", parents=[common], help="measure a model on labelled cases")
    parser.add_argument("--model", required=True, metavar="NAME_OR_PATH", help="the model to measure")
    parser.add_argument(
        "--dataset", type=Path, required=True, metavar="DIR", help="folder with imagesTr and labelsTr (Decathlon)"
    )
    parser.add_argument("--split", type=Path, required=True, metavar="FILE", help="JSON file with lists of case names")
    parser.add_argument("--subset", default="val", help="which of its lists (default: %(default)s)")
    add_compute_options(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="TABLE.json", help="write every figure as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Measure, show the table, and write it where that was asked for."""
    from MedSegAI.Logic.models.registry import find_model
    from MedSegAI.Logic.settings import DeviceChoice, RunSettings

    settings = RunSettings(device=DeviceChoice(options.device), overlap=options.overlap)
    if options.output is not None:
        refuse_unusable([Output("-o", options.output, (".json",))], inputs=[options.split])
    model = find_model(options.model)

    from MedSegAI.Logic.evaluation.evaluate import evaluate
    from MedSegAI.Logic.files.atomic import write_beside

    evaluation = evaluate(
        model, options.dataset, split=options.split, subset=options.subset, settings=settings, reporter=reporter
    )
    lines = evaluation.to_text().rstrip("\n").splitlines()
    if options.output is not None:
        with write_beside(options.output) as temporary:
            temporary.write_text(evaluation.to_json(), encoding="utf-8")
        lines.append(f"Written: {options.output}")
    return Outcome(evaluation.to_plain(), tuple(lines))
