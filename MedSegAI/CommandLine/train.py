"""``medsegai train``: train a network as a YAML file says, or go on with a run that was stopped."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.run_options import add_run_options, refuse_wrong_folder, with_changes
from MedSegAI.CommandLine.together import run_together
from MedSegAI.CommandLine.training_display import TrainingDisplay
from MedSegAI.Logic.errors import Cancelled
from MedSegAI.Logic.reporter import Reporter

if TYPE_CHECKING:
    from MedSegAI.Logic.training.config import TrainingConfig


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``train``."""
    parser = commands.add_parser("train", parents=[common], help="train a network as a YAML file says")
    add_run_options(parser, example="optimiser.learning_rate=0.0005", config_count="?")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with imagesTr and labelsTr")
    shown = parser.add_argument_group("the configuration, without training").add_mutually_exclusive_group()
    shown.add_argument(
        "--explain",
        nargs="?",
        const="",
        metavar="FIELD",
        help="say what each field means, its default and why; of one field or table, such as optimiser",
    )
    shown.add_argument("--defaults", action="store_true", help="show a whole YAML file to start from")
    shown.add_argument("--schema", action="store_true", help="show the JSON schema, for editors that check YAML")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Train, beside other processes where torchrun started several, and say where the weights and the table lie."""
    shown = _shown(options)
    if shown is not None:
        return shown
    if options.config is None:
        raise UsageError(
            "No configuration was named.", advice="Name a YAML file; medsegai train --defaults shows one to start from."
        )
    return run_together(partial(_train, options), reporter)


def _shown(options: argparse.Namespace) -> Outcome | None:
    """What is shown of the configuration instead of training; None where nothing was asked for."""
    if options.schema:
        from MedSegAI.Logic.training.config_schema import config_schema

        schema = config_schema()
        return Outcome(schema, (json.dumps(schema, indent=1),))
    from MedSegAI.Logic.training.config_explanation import defaults_as_yaml, explained_fields, explanation

    if options.defaults:
        text = defaults_as_yaml()
        return Outcome({"yaml": text}, (text.rstrip("\n"),))
    if options.explain is None:
        return None
    text = explanation(options.explain)
    return Outcome({field.name: asdict(field) for field in explained_fields(options.explain)}, (text,))


def _train(options: argparse.Namespace, reporter: Reporter) -> Outcome:
    from MedSegAI.Logic.training.config import read_config

    config = _changed(read_config(options.config), options.changes)
    folder = options.output or Path("runs") / config.name
    from MedSegAI.Logic.training.distributed.environment import place_from
    from MedSegAI.Logic.training.distributed.open_processes import open_processes
    from MedSegAI.Logic.training.distributed.shared_folder import is_started
    from MedSegAI.Logic.training.trainer import CHECKPOINT_NAME, train

    # A process that has nothing to say watches nothing either.
    watchers = [TrainingDisplay(reporter)] if isinstance(reporter, ConsoleReporter) else []

    try:
        with open_processes(config.distributed, device=config.device) as processes:
            started = is_started(folder / CHECKPOINT_NAME, processes)
            # Processes that torchrun started anew go on, though the command line is still the first one's.
            resume = options.resume or (started and place_from(os.environ).restarts > 0)
            refuse_wrong_folder(folder, started=started, resume=resume)
            summary = train(
                config, data=options.data, output=folder, reporter=reporter, processes=processes, watchers=watchers
            )
    except (Cancelled, KeyboardInterrupt) as stop:
        kept = (folder / CHECKPOINT_NAME).is_file()
        advice = f"Go on later with --resume -o {folder}." if kept else "No step was done, so nothing is kept."
        raise Cancelled(advice=advice) from stop
    facts = {
        "checkpoint": str(summary.checkpoint),
        "best_checkpoint": str(summary.best_checkpoint),
        "table": str(summary.table),
        "report": str(summary.report),
        "steps": summary.steps,
        "seconds": summary.seconds,
        "cpu_seconds": summary.cpu_seconds,
        "best_dice": summary.best_dice,
        "stopped_early": summary.stopped_early,
    }
    lines = (
        f"Trained {summary.steps} steps in {summary.seconds:.0f} s; best validation Dice {summary.best_dice:.4f}.",
        f"Weights: {summary.best_checkpoint}",
        f"Epochs:  {summary.table}",
        f"Report:  {summary.report}",
    )
    return Outcome(facts, lines)


def _changed(config: TrainingConfig, changes: list[str]) -> TrainingConfig:
    """The configuration with each ``--set KEY=VALUE`` applied and everything checked again."""
    if not changes:
        return config
    from MedSegAI.Logic.training.config import config_as_mapping, config_from_mapping

    fields = with_changes(config_as_mapping(config), changes)
    return config_from_mapping(fields, source="The configuration changed with --set")
