"""``medsegai explain``: what the network looked at for one label of a segmentation."""

from __future__ import annotations

import argparse
from pathlib import Path

from MedSegAI.CommandLine.case_options import add_case_options
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``explain``."""
    parser = commands.add_parser("explain", parents=[common], help="show what the network looked at for a label")
    add_case_options(parser)
    parser.add_argument(
        "segmentation", nargs="?", type=Path, metavar="SEGMENTATION", help="from 'segment'; made anew without it"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.nrrd", help="the heat map, 0 to 1")
    parser.add_argument("--target", required=True, metavar="LABEL", help="label to explain: its key, name or value")
    parser.add_argument("--layer", help="layer to explain (default: the model card's)")
    parser.add_argument("--scene", type=Path, metavar="OUT.mrb", help="scan, segments and heat map for 3D Slicer")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Explain one label."""
    raise NotImplementedError
