"""``medsegai recalibrate``: judge a model on reviewed cases, and propose a new version of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.case_options import add_compute_options
from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.model_files import refuse_folder_in_use
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter

if TYPE_CHECKING:
    from MedSegAI.Logic.recalibrate.assess import Assessment


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``recalibrate``."""
    parser = commands.add_parser(
        "recalibrate", parents=[common], help="judge a model on reviewed cases and propose a new version"
    )
    parser.add_argument("cases", type=Path, nargs="+", metavar="CASE", help="case folders, each with a journal.jsonl")
    parser.add_argument("--model", required=True, metavar="NAME_OR_PATH", help="the model to judge")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="the draft to write")
    parser.add_argument("--fewest-cases", type=int, default=10, metavar="N", help="judge on N or more (default: 10)")
    parser.add_argument("--floor", type=float, default=0.7, help="Dice below which a model is stopped (default: 0.7)")
    parser.add_argument("--fall", type=float, default=0.02, help="fall of Dice that calls for fine-tuning (0.02)")
    parser.add_argument("--fine-tune", type=Path, metavar="FOLDER", help="write a data set to fine-tune on as well")
    add_compute_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Judge, write the draft, and say what the rule says and how to go on."""
    from MedSegAI.Logic.models.registry import find_model
    from MedSegAI.Logic.recalibrate.decide import Rules
    from MedSegAI.Logic.recalibrate.reviewed_cases import reviewed_cases
    from MedSegAI.Logic.settings import DeviceChoice, RunSettings

    rules = Rules(fewest_cases=options.fewest_cases, floor=options.floor, fall=options.fall)
    settings = RunSettings(device=DeviceChoice(options.device), overlap=options.overlap)
    for folder in filter(None, (options.output, options.fine_tune)):
        refuse_folder_in_use(folder, advice="Choose another folder.")
    model = find_model(options.model)
    cases = reviewed_cases(options.cases, model, fewest=rules.fewest_cases)

    from MedSegAI.Logic.recalibrate.assess import assess
    from MedSegAI.Logic.recalibrate.draft import write_draft

    assessment = assess(model, cases, rules=rules, settings=settings, reporter=reporter)
    draft = write_draft(assessment, options.output)
    lines = [*_findings(assessment), f"Report: {draft.report}"]
    if assessment.adopted is not None:
        lines.append(f"Read it, then: medsegai models adopt {options.output} --signed-by NAME")
    if options.fine_tune is not None:
        from MedSegAI.Logic.recalibrate.fine_tuning_set import CONFIGURATION_NAME, write_fine_tuning_set

        write_fine_tuning_set(model, cases, options.fine_tune, settings=settings, reporter=reporter)
        train = f"medsegai train {options.fine_tune / CONFIGURATION_NAME} --data {options.fine_tune}"
        lines.append(f"Fine-tune with: {train}")
    return Outcome({"folder": str(options.output), **draft.content}, tuple(lines))


def _findings(assessment: Assessment) -> tuple[str, ...]:
    rows = [
        (
            drift.key,
            str(drift.cases),
            f"{drift.now.value:.3f}",
            "-" if drift.then is None else f"{drift.then:.3f}",
            "-" if drift.change is None else str(drift.change),
        )
        for drift in assessment.drifts
    ]
    head = ("LABEL", "CASES", "DICE NOW", "ON THE CARD", "CHANGE (95%)")
    verdict = f"Verdict: {assessment.decision.verdict.value}"
    return (*columns([head, *rows]), "", verdict, *(f"- {reason}" for reason in assessment.decision.reasons))
