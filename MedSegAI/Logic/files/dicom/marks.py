"""What in their headers tells several volumes of one series apart: time points, echoes, b values and the like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from MedSegAI.Logic.files.dicom.planes import Plane, frame_settings
from MedSegAI.Logic.files.dicom.stack import SAME_PLACE_MM, in_order


@dataclass(frozen=True)
class _Mark:
    """One thing that headers say: what a person calls it, where it may stand, and its unit."""

    title: str
    keywords: tuple[str, ...]
    unit: str = ""


_MARKS = (
    _Mark("stack", ("StackID",)),
    _Mark("time point", ("TemporalPositionIndex", "TemporalPositionIdentifier")),
    _Mark("echo time", ("EffectiveEchoTime", "EchoTime"), " ms"),
    _Mark("inversion time", ("InversionTime",), " ms"),
    _Mark("b value", ("DiffusionBValue",), " s/mm2"),
    _Mark("trigger time", ("NominalCardiacTriggerDelayTime", "TriggerTime"), " ms"),
    _Mark("heart phase", ("NominalPercentageOfCardiacPhase",), " %"),
    _Mark("part", ("ComplexImageComponent",)),
    _Mark("image type", ("FrameType", "ImageType")),
    _Mark("kernel", ("ConvolutionKernel",)),
    _Mark("frame time", ("FrameReferenceTime",), " ms"),
    _Mark("acquisition", ("AcquisitionNumber",)),
    _Mark("acquired at", ("FrameAcquisitionDateTime", "AcquisitionTime")),
    _Mark("made at", ("ContentTime",)),
)


def split_by_mark(planes: Sequence[Plane], *, only: str = "") -> dict[str, list[Plane]] | None:
    """Sort planes into volumes by the first mark that makes complete ones.

    Args:
        planes: Of one series.
        only: Title of the one mark to look at; with it the volumes need not lie at the same places.

    Returns:
        Planes by what their volume is called, such as "echo time 30 ms", in the order of the values; None where no
        mark sorts them into volumes of one plane a place, with the same places in each.
    """
    settings = [frame_settings(plane.file, plane.frame) for plane in planes]
    for mark in _MARKS:
        if only and mark.title != only:
            continue
        groups: dict[Any, list[Plane]] = defaultdict(list)
        for plane, said in zip(planes, settings):
            groups[_value(said, mark)].append(plane)
        if len(groups) < 2 or None in groups:
            continue
        if only or _complete(list(groups.values())):
            ordered = sorted(groups.items(), key=lambda item: _sort_key(item[0]))
            return {f"{mark.title} {_shown(value)}{mark.unit}": group for value, group in ordered}
    return None


def marks_of(plane: Plane) -> tuple[Any, ...]:
    """What all the marks say of one plane; None where the header does not."""
    said = frame_settings(plane.file, plane.frame)
    return tuple(_value(said, mark) for mark in _MARKS)


def _value(said: Any, mark: _Mark) -> Any:
    for keyword in mark.keywords:
        value = said.get(keyword)
        if value is not None and value != "":
            return str(value) if isinstance(value, str) else _plain(value)
    return None


def _plain(value: Any) -> Any:
    try:
        return round(float(value), 3)
    except (TypeError, ValueError):
        return "\\".join(map(str, value)) if hasattr(value, "__iter__") else str(value)


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sort_key(value: Any) -> tuple[int, float, str]:
    return (0, value, "") if isinstance(value, float) else (1, 0.0, str(value))


def _complete(groups: list[list[Plane]]) -> bool:
    """Whether each group has one plane at each of the same places."""
    if len({len(group) for group in groups}) > 1:
        return False
    places = [in_order(group)[1] for group in groups]
    alone = all((np.diff(place) >= SAME_PLACE_MM).all() for place in places)
    # The normal of each group's first plane is the same: the groups are of one direction.
    return alone and all(np.abs(place - places[0]).max() < SAME_PLACE_MM for place in places)
