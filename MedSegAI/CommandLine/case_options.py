"""The options that commands share: which scans, which model, where and how to compute."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.point_options import POINT_OPTIONS, add_point_options

if TYPE_CHECKING:
    from MedSegAI.Logic.settings import RunSettings

DEFAULT_MODEL = "hippocampus-mr"
_ALIGN = ("auto", "never", "always")
_ENGINES = ("auto", "torch", "openvino", "openvino-int8", "tensorrt")


def add_case_options(parser: argparse.ArgumentParser, *, default_model: str | None = DEFAULT_MODEL) -> None:
    """Add the options of a run but its scans; without a default model the command chooses one itself."""
    chosen = default_model or f"the segmentation's, else {DEFAULT_MODEL}"
    parser.add_argument("--model", default=default_model, metavar="NAME_OR_PATH", help=f"default: {chosen}")
    parser.add_argument(
        "--roi",
        metavar="REGION",
        help="where to look: x0,x1,y0,y1,z0,z1 in RAS mm (-44,-8,-46,4,-34,8) or i0:i1,j0:j1,k0:k1 in voxels",
    )
    add_point_options(parser)
    _add_scan_options(parser)
    add_compute_options(parser)
    parser.add_argument("--in-process", action="store_true", help="compute in this process instead of a worker process")


def _add_scan_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--series",
        action="append",
        default=[],
        metavar="[NAME=]UID",
        help="series UID or description, where a folder holds several; with NAME= for one of several inputs",
    )
    several = parser.add_argument_group("a model of several inputs")
    several.add_argument(
        "--input",
        action="append",
        default=[],
        dest="named_inputs",
        metavar="NAME=PATH",
        help="the scan for the model's input of this name; once for each (medsegai models info MODEL lists them)",
    )
    several.add_argument(
        "--reference", metavar="NAME", help="the result lies on this input's grid (default: the first)"
    )
    several.add_argument(
        "--align",
        default="auto",
        choices=_ALIGN,
        help="register to the reference: what nothing says to lie in its space (auto, the default), nothing, or all",
    )
    parser.add_argument(
        "--prepare",
        action="append",
        default=[],
        metavar="[NAME=]KIND[:setting=value,...]",
        help="bring scans into shape first, all or the one of this input; see 'medsegai standardise --list'",
    )


def add_compute_options(parser: argparse.ArgumentParser) -> None:
    """Add where and by what to compute, and how far windows overlap."""
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="default: %(default)s")
    parser.add_argument(
        "--engine",
        default="auto",
        choices=_ENGINES,
        help="what evaluates the network; auto takes the fastest that gives here what torch gives (heat maps: torch)",
    )
    parser.add_argument("--overlap", type=float, metavar="FRACTION", help="of neighbouring windows, 0 to below 1")


def compute_settings(options: argparse.Namespace) -> RunSettings:
    """What :func:`add_compute_options` added, as settings.

    Raises:
        InputError: for a value outside its range.
    """
    from MedSegAI.Logic.settings import DeviceChoice, EngineChoice, RunSettings

    device, engine = DeviceChoice(options.device), EngineChoice(options.engine)
    return RunSettings(device=device, engine=engine, overlap=options.overlap)


def settings_of(options: argparse.Namespace, *, keep_confidence: bool = False) -> RunSettings:
    """The run's settings as the user wrote them.

    Raises:
        InputError: for a value outside its range.
    """
    from MedSegAI.Logic.settings import ConfidenceChoice

    confidence = ConfidenceChoice.PER_VOXEL if keep_confidence else ConfidenceChoice.NONE
    return dataclasses.replace(compute_settings(options), confidence=confidence, region=options.roi)


def named_paths(texts: Sequence[str]) -> dict[str, Path]:
    """``NAME=PATH`` of each ``--input``.

    Raises:
        UsageError: for a text of another form, or a name that is given twice.
    """
    paths: dict[str, Path] = {}
    for text in texts:
        name, sign, path = text.partition("=")
        if not (name.strip() and sign and path.strip()):
            raise UsageError(f"--input '{text}' is not of the form NAME=PATH.", advice="Write --input T1=t1.nii.gz.")
        if name.strip() in paths:
            raise UsageError(f"--input names '{name.strip()}' twice.", advice="Give each input one scan.")
        paths[name.strip()] = Path(path.strip())
    return paths


def with_regions_joined(arguments: Sequence[str]) -> list[str]:
    """``--roi -44,-8,...`` as ``--roi=-44,-8,...``: argparse takes a value that begins with a minus for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and (joined[-1] == "--roi" or joined[-1] in POINT_OPTIONS):
            joined[-1] = f"{joined[-1]}={argument}"
        else:
            joined.append(argument)
    return joined
