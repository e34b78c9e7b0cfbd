"""What a user has chosen for a case: one value object that the parameter node keeps and every face shows."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any

from MedSegAI.Logic.consensus.fuse import Method
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.settings import DeviceChoice, EngineChoice

AFTER, BEFORE = "after", "before"

_log = logging.getLogger(__name__)


class RegionChoice(str, Enum):
    """Which part of the scan is segmented."""

    FIND = "find"
    """The model's localiser finds the structure; a model without one takes the whole scan."""
    WHOLE = "whole"
    ROI = "roi"
    """Inside an ROI box that the user places."""
    POINT = "point"
    """Around a point that the user clicks."""


@dataclass(frozen=True)
class Choices:
    """The user's choices for a case. Field names are those in the parameter node, where all values are text.

    Args:
        model: Name of the model.
        device: Where to compute.
        engine: What evaluates the network; heat maps are made by torch.
        region: Which part of the scan is segmented.
        target: Key of the label to explain; empty takes the segmentation's first.
        layer: Layer of the network to explain; empty takes the card's.
        heat_threshold: Heat below it is transparent; 0..1.
        heat_opacity: Of the heat map over the scan; 0..1.
        heat_colours: Name of the heat map's colours, see ``Logic/report/heat_colours.py``.
        heat_in_slices: Whether the heat map lies over the slices.
        heat_in_3d: Whether its surface at the threshold shows in 3D.
        journal: Folder of the case's corrections; empty takes the one named after the scan.
        rater: Name of who corrects.
        rater_role: What that person is, such as "radiologist".
        fuse_method: How several raters become one.
        fuse_threshold: Probability above which the consensus holds a structure; 0 to below 1.
        fuse_drafts: Whether corrections that are not final yet count, too.
        show_disagreement: Whether the map of disagreement lies over the slices instead of the heat map.
        view_input: Which of the model's inputs the slices show, from 0.
        view_stage: What of that scan they show: "after" for the scan as it is, "before" for what it was before it was
            prepared last, or the name of an extra that the preparation found, such as "bias field".
        same_space: Whether the user said that all inputs lie in one space already and need no registration.
        explain_points: Whether what was pointed at is explained by a heat map as soon as it is segmented.

    Raises:
        InputError: for a value outside its range; says which and what is allowed.
    """

    model: str = "hippocampus-mr"
    device: DeviceChoice = DeviceChoice.AUTO
    engine: EngineChoice = EngineChoice.AUTO
    region: RegionChoice = RegionChoice.FIND
    target: str = ""
    layer: str = ""
    heat_threshold: float = 0.3
    heat_opacity: float = 0.5
    heat_colours: str = "heat"
    heat_in_slices: bool = True
    heat_in_3d: bool = False
    journal: str = ""
    rater: str = ""
    rater_role: str = ""
    fuse_method: Method = Method.STAPLE
    fuse_threshold: float = 0.5
    fuse_drafts: bool = False
    show_disagreement: bool = False
    view_input: int = 0
    view_stage: str = AFTER
    same_space: bool = False
    explain_points: bool = False

    def __post_init__(self) -> None:
        for name in ("heat_threshold", "heat_opacity"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                what = name.replace("_", " map's ")
                raise InputError(f"The {what} {value} is not usable.", advice="Choose a value from 0 to 1.")
        if not 0.0 <= self.fuse_threshold < 1.0:
            raise InputError(
                f"The consensus' threshold {self.fuse_threshold} is not usable.",
                advice="Choose a value from 0 to below 1.",
            )

    def to_parameters(self) -> dict[str, str]:
        """The choices as texts, in the form in which Slicer's parameter node wrapper writes them."""
        return {field.name: _text(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> Choices:
        """The choices that texts stand for; what is missing or not usable takes its default, and the log says so."""
        choices = cls()
        for field in fields(cls):
            text = parameters.get(field.name)
            if text is None or text == _text(getattr(choices, field.name)):
                continue
            try:
                choices = replace(choices, **{field.name: _value(text, like=field.default)})
            except (ValueError, InputError):
                _log.warning("'%s' is no usable value of '%s'; taken for its default.", text, field.name)
        return choices


def parameters_of_changes(changes: Mapping[str, Any]) -> dict[str, str]:
    """Some of the fields of :class:`Choices` as texts.

    Raises:
        InputError: for a value that the field cannot have.
    """
    try:
        checked = replace(Choices(), **changes)
        as_text = {name: _text(getattr(checked, name)) for name in changes}
        for name, text in as_text.items():
            _value(text, like=getattr(Choices, name))
    except ValueError as error:
        raise InputError(f"That choice is not possible: {error}.", advice="Choose one of those offered.") from error
    return as_text


def _text(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)


def _value(text: str, *, like: Any) -> Any:
    if isinstance(like, bool):
        if text not in ("True", "False"):
            raise ValueError(f"'{text}' is neither True nor False")
        return text == "True"
    return type(like)(text)
