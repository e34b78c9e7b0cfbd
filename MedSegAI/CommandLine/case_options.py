"""The options that commands share: which scan, which model, where and how to compute."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from MedSegAI.Logic.settings import RunSettings

DEFAULT_MODEL = "hippocampus-mr"


def add_case_options(parser: argparse.ArgumentParser, *, default_model: str | None = DEFAULT_MODEL) -> None:
    """Add the input and the options of a run; without a default model the command chooses one itself."""
    parser.add_argument("input", type=Path, metavar="INPUT", help="NIfTI, NRRD or MetaImage file, or a DICOM folder")
    parser.add_argument("--series", metavar="UID", help="series UID or description, where a folder holds several")
    chosen = default_model or f"the segmentation's, else {DEFAULT_MODEL}"
    parser.add_argument("--model", default=default_model, metavar="NAME_OR_PATH", help=f"default: {chosen}")
    parser.add_argument(
        "--roi",
        metavar="REGION",
        help="where to look: x0,x1,y0,y1,z0,z1 in RAS mm (-44,-8,-46,4,-34,8) or i0:i1,j0:j1,k0:k1 in voxels",
    )
    add_compute_options(parser)
    parser.add_argument("--in-process", action="store_true", help="compute in this process instead of a worker process")


def add_compute_options(parser: argparse.ArgumentParser) -> None:
    """Add where to compute and how far windows overlap."""
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="default: %(default)s")
    parser.add_argument("--overlap", type=float, metavar="FRACTION", help="of neighbouring windows, 0 to below 1")


def settings_of(options: argparse.Namespace, *, keep_confidence: bool = False) -> RunSettings:
    """The run's settings as the user wrote them.

    Raises:
        InputError: for a value outside its range.
    """
    from MedSegAI.Logic.settings import ConfidenceChoice, DeviceChoice, RunSettings

    return RunSettings(
        device=DeviceChoice(options.device),
        confidence=ConfidenceChoice.PER_VOXEL if keep_confidence else ConfidenceChoice.NONE,
        overlap=options.overlap,
        region=options.roi,
    )


def with_regions_joined(arguments: Sequence[str]) -> list[str]:
    """``--roi -44,-8,...`` as ``--roi=-44,-8,...``: argparse takes a value that begins with a minus for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] == "--roi":
            joined[-1] = f"--roi={argument}"
        else:
            joined.append(argument)
    return joined
