"""The options by which a command is told which scan a file or folder holds, and what is done to it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from MedSegAI.Logic.volume import Modality


def add_scan_options(parser: argparse.ArgumentParser) -> None:
    """Add which series is meant, what was measured, and the steps of preparation."""
    parser.add_argument(
        "--step",
        action="append",
        default=[],
        dest="steps",
        metavar="KIND[:setting=value,...]",
        help="what is done to the scan, several in this order; 'medsegai standardise --list' says which there are",
    )
    parser.add_argument("--series", metavar="UID", help="series UID or description, where a folder holds several")
    parser.add_argument(
        "--modality", choices=("CT", "MR", "PT"), help="what was measured, where the file does not say it"
    )


def modality_of(options: argparse.Namespace) -> Modality | None:
    """What was measured, as the user wrote it; None where nothing was written."""
    from MedSegAI.Logic.volume import Modality

    return None if options.modality is None else Modality(options.modality)
