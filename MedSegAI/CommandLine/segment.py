"""``medsegai segment``: a scan in; a segmentation out, and on request confidence, heat map and scene."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.case_options import add_case_options
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter

if TYPE_CHECKING:
    pass


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``segment``."""
    parser = commands.add_parser("segment", parents=[common], help="segment a scan")
    add_case_options(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.seg.nrrd", help="the segmentation")
    parser.add_argument("--confidence", type=Path, metavar="OUT.nrrd", help="probability of the label that won")
    parser.add_argument("--heatmap", type=Path, metavar="OUT.nrrd", help="what the network looked at, for --target")
    parser.add_argument("--target", metavar="LABEL", help="label to explain: its key, name or value")
    parser.add_argument("--layer", help="layer to explain (default: the model card's)")
    parser.add_argument("--scene", type=Path, metavar="OUT.mrb", help="scan, segments and heat map for 3D Slicer")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Segment, and write every file that was asked for."""
    raise NotImplementedError
