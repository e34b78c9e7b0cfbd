"""``medsegai pretrain``: let a network learn from scans without labels, to start a training from."""

from __future__ import annotations

import argparse
from pathlib import Path

from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.run_options import add_run_options, refuse_wrong_folder, with_changes
from MedSegAI.Logic.errors import Cancelled


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``pretrain``."""
    parser = commands.add_parser(
        "pretrain", parents=[common], help="let a network learn from scans without labels, as a YAML file says"
    )
    add_run_options(parser, example="data.cache_mib=4096")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of scans, searched through all its folders")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Pretrain, and say where the weights and the table lie, and which scans were left out."""
    from MedSegAI.Logic.training.pretrain.config import (
        pretraining_config_as_mapping,
        pretraining_config_from_mapping,
        read_pretraining_config,
    )

    config = read_pretraining_config(options.config)
    if options.changes:
        fields = with_changes(pretraining_config_as_mapping(config), options.changes)
        config = pretraining_config_from_mapping(fields, source="The configuration changed with --set")
    folder = options.output or Path("runs") / config.name
    from MedSegAI.Logic.training.pretrain.pretrainer import STATE_NAME, pretrain

    refuse_wrong_folder(folder, started=(folder / STATE_NAME).is_file(), resume=options.resume)
    try:
        summary = pretrain(config, data=options.data, output=folder, reporter=reporter)
    except (Cancelled, KeyboardInterrupt) as stop:
        kept = (folder / STATE_NAME).is_file()
        advice = f"Go on later with --resume -o {folder}." if kept else "No checkpoint was reached, so nothing is kept."
        raise Cancelled(advice=advice) from stop
    facts = {
        "weights": str(summary.weights),
        "table": str(summary.table),
        "steps": summary.steps,
        "seconds": summary.seconds,
        "cpu_seconds": summary.cpu_seconds,
        "scans": summary.scans,
        "left_out": {str(path): reason for path, reason in summary.left_out.items()},
    }
    lines = (
        f"Pretrained {summary.steps} steps on {summary.scans} scans in {summary.seconds:.0f} s; "
        f"{len(summary.left_out)} scans were left out.",
        f"Weights: {summary.weights}",
        f"Table:   {summary.table}",
        f"Start a training from them with: medsegai train CONFIG.yaml --set initial_weights={summary.weights}",
    )
    return Outcome(facts, lines)
