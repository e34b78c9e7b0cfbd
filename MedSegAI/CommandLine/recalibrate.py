"""``medsegai recalibrate``: judge a model on reviewed cases, and propose a new version of it."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.case_options import add_compute_options, compute_settings
from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.model_files import refuse_folder_in_use
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter

if TYPE_CHECKING:
    from MedSegAI.Logic.models.registry import Model
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
    parser.add_argument(
        "--subjects",
        default="",
        metavar="RULE",
        help="regular expression that finds the subject in a case's name; intervals are drawn over subjects",
    )
    parser.add_argument("--fine-tune", type=Path, metavar="FOLDER", help="write a data set to fine-tune on as well")
    add_compute_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Judge, write the draft, and say what the rule says and how to go on."""
    from MedSegAI.Logic.models.registry import find_model
    from MedSegAI.Logic.recalibrate.decide import Rules
    from MedSegAI.Logic.recalibrate.reviewed_cases import reviewed_cases

    rules = Rules(fewest_cases=options.fewest_cases, floor=options.floor, fall=options.fall)
    settings = compute_settings(options)
    refuse_folder_in_use(options.output, advice="Choose another folder.")
    model = find_model(options.model)
    if options.fine_tune is not None:
        _refuse_fine_tuning(options, model)
    cases = reviewed_cases(options.cases, model, fewest=rules.fewest_cases)

    from MedSegAI.Logic.recalibrate.assess import assess
    from MedSegAI.Logic.recalibrate.draft import write_draft

    assessment = assess(model, cases, rules=rules, settings=settings, reporter=reporter, subject_rule=options.subjects)
    draft = write_draft(assessment, options.output)
    lines = [*_findings(assessment), f"Report: {draft.report}"]
    if assessment.adopted is not None:
        lines.append(f"Read it, then: medsegai models adopt {_quoted(options.output)}{_which(model)} --signed-by NAME")
    if options.fine_tune is not None:
        from MedSegAI.Logic.recalibrate.fine_tuning_set import CONFIGURATION_NAME, write_fine_tuning_set

        write_fine_tuning_set(model, cases, options.fine_tune, settings=settings, reporter=reporter)
        folder = options.fine_tune
        train = f"medsegai train {_quoted(folder / CONFIGURATION_NAME)} --data {_quoted(folder)}"
        lines.append(f"Fine-tune with: {train}")
    return Outcome({"folder": str(options.output), **draft.content}, tuple(lines))


def _refuse_fine_tuning(options: argparse.Namespace, model: Model) -> None:
    """Refuse before minutes of work what could not be written after them."""
    from MedSegAI.Logic.errors import InputError
    from MedSegAI.Logic.files.new_folder import refuse_used
    from MedSegAI.Logic.recalibrate.fine_tuning_set import training_configuration

    if options.fine_tune.resolve() == options.output.resolve():
        raise InputError(
            "The draft and the data set to fine-tune on would lie in one folder.", advice="Choose two folders."
        )
    refuse_used(options.fine_tune)
    training_configuration(model)


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _which(model: Model) -> str:
    """The option that names a model which is not found by its name."""
    from MedSegAI.Logic.models.registry import name_or_folder

    named = name_or_folder(model)
    return "" if named == model.card.name else f" --model {shlex.quote(named)}"


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
