"""``medsegai train``: train a network as a YAML file says, or go on with a run that was stopped."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.Logic.errors import Cancelled, InputError, StorageError

if TYPE_CHECKING:
    from MedSegAI.Logic.training.config import TrainingConfig


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``train``."""
    parser = commands.add_parser("train", parents=[common], help="train a network as a YAML file says")
    parser.add_argument("config", type=Path, help="YAML file; every field is checked before the first step")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with imagesTr and labelsTr")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="folder of the run (default: runs/NAME)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="changes",
        help="change one field, such as optimiser.learning_rate=0.0005; may be repeated",
    )
    parser.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Train, and say where the weights and the table of epochs lie."""
    from MedSegAI.Logic.training.config import read_config

    config = _changed(read_config(options.config), options.changes)
    folder = options.output or Path("runs") / config.name
    from MedSegAI.Logic.training.trainer import CHECKPOINT_NAME, train

    _refuse_wrong_folder(folder, started=(folder / CHECKPOINT_NAME).is_file(), resume=options.resume)
    try:
        summary = train(config, data=options.data, output=folder, reporter=reporter)
    except (Cancelled, KeyboardInterrupt) as stop:
        kept = (folder / CHECKPOINT_NAME).is_file()
        advice = f"Go on later with --resume -o {folder}." if kept else "No epoch was finished, so nothing is kept."
        raise Cancelled(advice=advice) from stop
    facts = {
        "checkpoint": str(summary.checkpoint),
        "best_checkpoint": str(summary.best_checkpoint),
        "table": str(summary.table),
        "steps": summary.steps,
        "seconds": summary.seconds,
        "best_dice": summary.best_dice,
        "stopped_early": summary.stopped_early,
    }
    lines = (
        f"Trained {summary.steps} steps in {summary.seconds:.0f} s; best validation Dice {summary.best_dice:.4f}.",
        f"Weights: {summary.best_checkpoint}",
        f"Epochs:  {summary.table}",
    )
    return Outcome(facts, lines)


def _refuse_wrong_folder(folder: Path, *, started: bool, resume: bool) -> None:
    if started and not resume:
        raise StorageError(
            f"'{folder}' holds a run already.", advice="Go on with it with --resume, or choose another folder with -o."
        )
    if resume and not started:
        raise InputError(
            f"'{folder}' holds no run to go on with.", advice="Leave out --resume, or give the folder with -o."
        )


def _changed(config: TrainingConfig, changes: list[str]) -> TrainingConfig:
    """The configuration with each ``--set KEY=VALUE`` applied and everything checked again."""
    if not changes:
        return config
    import yaml

    from MedSegAI.Logic.training.config import config_as_mapping, config_from_mapping

    fields = config_as_mapping(config)
    for change in changes:
        key, separator, text = change.partition("=")
        if not separator or not key:
            raise UsageError(f"--set {change} is not of the form KEY=VALUE.", advice="Write --set total_steps=100.")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise UsageError(f"--set {change} holds no valid value.", advice="Write it as in YAML.") from error
        _set(fields, key.split("."), value, change)
    return config_from_mapping(fields, source="The configuration changed with --set")


def _set(fields: dict[str, Any], path: list[str], value: object, change: str) -> None:
    *parents, last = path
    for parent in parents:
        fields = fields.get(parent) if isinstance(fields, dict) else None
        if not isinstance(fields, dict):
            raise UsageError(
                f"--set {change}: the configuration has no table '{parent}'.", advice="Check the name of the field."
            )
    fields[last] = value
