"""``medsegai demo``: a real average brain segmented and explained, with pictures, on nothing but what is installed."""

from __future__ import annotations

import argparse
from pathlib import Path

from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``demo``."""
    parser = commands.add_parser("demo", parents=[common], help="segment and explain the ICBM152 brain, with pictures")
    parser.add_argument("-o", "--output", type=Path, default=Path("demo"), metavar="FOLDER", help="default: demo")
    parser.add_argument("--in-process", action="store_true", help="compute in this process instead of a worker")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Make the demo's folder."""
    raise NotImplementedError
