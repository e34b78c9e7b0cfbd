"""The options by which a user points at what a model is to segment."""

from __future__ import annotations

import argparse
import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.errors import UsageError

if TYPE_CHECKING:
    from MedSegAI.Logic.geometry import Grid
    from MedSegAI.Logic.localise.points import PointForm
    from MedSegAI.Logic.settings import RunSettings

POINT_OPTIONS = {
    "--point": ("R,A,S", "what lies here is segmented, in mm as 3D Slicer shows it; once for each place"),
    "--point-lps": ("L,P,S", "the same in mm as DICOM has it"),
    "--point-voxel": ("I,J,K", "the same as a voxel of the scan, counted from 0"),
}


def add_point_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--point`` and its other forms; all of them keep the order in which they are written."""
    group = parser.add_argument_group("a model that segments what is pointed at")
    for option, (metavar, meaning) in POINT_OPTIONS.items():
        group.add_argument(
            option,
            action="append",
            default=[],
            dest="points",
            type=functools.partial(_with_option, option),
            metavar=metavar,
            help=meaning,
        )


def refuse_two_kinds_of_place(options: argparse.Namespace) -> None:
    """Refuse a region beside points, and a point that cannot be understood, before anything is read.

    Raises:
        UsageError: if both are given.
        RegionError: if a point is not three numbers.
    """
    if options.points and options.roi is not None:
        raise UsageError("--roi and --point exclude each other.", advice="Give a region, or points in it.")
    _parsed(options)


def with_points(settings: RunSettings, options: argparse.Namespace, grid: Grid) -> RunSettings:
    """The settings with the points that were given, on a scan of this grid; how sure the model is, is asked for too."""
    from MedSegAI.Logic.localise.points import point_ras
    from MedSegAI.Logic.settings import ConfidenceChoice

    if not options.points:
        return settings
    points = tuple(point_ras(values, form, grid) for values, form in _parsed(options))
    asked = settings.confidence
    confidence = ConfidenceChoice.PER_LABEL if asked is ConfidenceChoice.NONE else asked
    return replace(settings, points=points, confidence=confidence)


def _with_option(option: str, text: str) -> tuple[str, str]:
    return option, text


def _parsed(options: argparse.Namespace) -> list[tuple[tuple[float, float, float], PointForm]]:
    if not options.points:
        return []
    from MedSegAI.Logic.localise.points import PointForm, parse_point

    return [(parse_point(text, PointForm(option)), PointForm(option)) for option, text in options.points]
