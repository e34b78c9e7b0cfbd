"""The steps of preparation as a face offers them: titles, and settings as plain values with their types."""

from __future__ import annotations

import os
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any, Union

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.catalogue import step_from_plain, step_kinds
from MedSegAI.Logic.standardise.ct.hounsfield import OTHERWISE, Hounsfield
from MedSegAI.Logic.standardise.ct.window import OUTPUTS, WindowCt
from MedSegAI.Logic.standardise.ct.window_presets import WINDOW_PRESETS
from MedSegAI.Logic.standardise.mr.foreground import FOREGROUNDS
from MedSegAI.Logic.standardise.mr.histogram_match import HistogramMatch
from MedSegAI.Logic.standardise.mr.n4 import MASKS, N4
from MedSegAI.Logic.standardise.mr.nyul import Nyul
from MedSegAI.Logic.standardise.mr.z_score import MEASURES, RobustZScore
from MedSegAI.Logic.standardise.pet.suv import Suv
from MedSegAI.Logic.standardise.step import Step
from MedSegAI.Logic.volume import Volume
from MedSegAI.Session.typed_number import typed_number


class SettingKind(str, Enum):
    """What a setting's value is, and so which input a face makes for it."""

    NUMBER = "number"
    WHOLE_NUMBER = "whole number"
    SWITCH = "switch"
    CHOICE = "choice"
    TEXT = "text"


@dataclass(frozen=True)
class StepSetting:
    """One setting of a step.

    Args:
        name: The setting's key.
        title: The same for a person to read.
        kind: What its value is.
        value: Its default; None where the step finds a value by itself.
        may_be_empty: Whether it can be left to the step.
        options: What can be chosen, for :attr:`SettingKind.CHOICE`.
    """

    name: str
    title: str
    kind: SettingKind
    value: str | float | int | bool | None
    may_be_empty: bool = False
    options: tuple[str, ...] = ()


class StepNeed(str, Enum):
    """What a step needs beside its settings."""

    NOTHING = "nothing"
    SCAN = "scan"
    """Another scan of the case, whose histogram the scan gets."""
    FILE = "file"
    """A file with landmarks that were learned from a set of scans."""


@dataclass(frozen=True)
class StepOffer:
    """One kind of step.

    Args:
        kind: Its key, as ``Logic/standardise/catalogue.py`` has it.
        title: What a person reads.
        settings: Those that are plain values.
        needs: What must be chosen beside them.
    """

    kind: str
    title: str
    settings: tuple[StepSetting, ...]
    needs: StepNeed = StepNeed.NOTHING


# What cannot be read off the steps' classes: which words a text can be, and what is made from something else.
_WORDS: dict[tuple[type[Step], str], tuple[str, ...]] = {
    (N4, "mask"): MASKS,
    (WindowCt, "preset"): (*(preset.key for preset in WINDOW_PRESETS), "own"),
    (WindowCt, "output"): OUTPUTS,
    (RobustZScore, "measure"): MEASURES,
    (Hounsfield, "otherwise"): OTHERWISE,
    (Suv, "by"): ("bw", "lbm", "bsa"),
    (Suv, "lean_formula"): ("janmahasatian", "james"),
}
_NEEDS: dict[type[Step], tuple[StepNeed, tuple[str, ...]]] = {
    HistogramMatch: (StepNeed.SCAN, ("quantiles", "reference", "background")),
    Nyul: (StepNeed.FILE, ("percentiles", "landmarks", "foreground", "scans")),
}
_KINDS = {float: SettingKind.NUMBER, int: SettingKind.WHOLE_NUMBER, bool: SettingKind.SWITCH, str: SettingKind.TEXT}


@dataclass(frozen=True, eq=False)
class ChosenStep:
    """A step as a person chose it.

    Args:
        kind: Its key.
        settings: As they were typed: texts are read as what the setting is, empty ones are left to the step.
        reference: The scan that a step which needs one is to follow.
        file: The file that a step which needs one is to read.
    """

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    reference: Volume | None = None
    file: str | os.PathLike[str] | None = None


def offer_of(kind: type[Step]) -> StepOffer:
    """How a kind of step is offered; settings that are no plain values are left out."""
    hints = typing.get_type_hints(kind)
    needs, found_elsewhere = _NEEDS.get(kind, (StepNeed.NOTHING, ()))
    wanted = (one for one in fields(kind) if one.init and one.name not in found_elsewhere)
    offered = (_setting(one, hints[one.name], kind) for one in wanted)
    return StepOffer(kind.kind, kind.title, tuple(setting for setting in offered if setting is not None), needs)


def step_of(chosen: ChosenStep) -> Step:
    """The step that was chosen; one that follows another scan looks at all voxels of that.

    Raises:
        InputError: for a text that is no number where one is wanted, a scan or file that is missing or does not serve,
            or as ``step_from_plain``.
    """
    kind = step_kinds().get(chosen.kind)
    settings = dict(chosen.settings)
    for setting in () if kind is None else offer_of(kind).settings:
        if setting.name in settings:
            value = _read(settings.pop(setting.name), setting)
            if value is not None:
                settings[setting.name] = value
    if kind is HistogramMatch and "quantiles" not in settings:
        if chosen.reference is None:
            raise InputError("No scan to follow was chosen.", advice="Choose another scan of the same kind.")
        return HistogramMatch.to_reference(chosen.reference, **settings)
    if kind is Nyul and "landmarks" not in settings:
        return _with_landmarks(chosen.file)
    if kind is WindowCt:
        _refuse_what_a_preset_ignores(settings)
    return step_from_plain(chosen.kind, settings)


def _refuse_what_a_preset_ignores(settings: Mapping[str, Any]) -> None:
    """A face shows the preset beside the middle and width of an own window: whoever changed those means them."""
    defaults = {one.name: one.default for one in fields(WindowCt)}
    changed = {name: value for name, value in settings.items() if value != defaults.get(name)}
    try:
        WindowCt.settings_as_meant({"preset": defaults["preset"], **changed})
    except ValueError as error:
        raise InputError(
            f"The settings of '{WindowCt.kind}' are not usable: {error}.",
            advice="Choose 'own', or leave its middle and width as they were.",
        ) from error


def _with_landmarks(file: str | os.PathLike[str] | None) -> Nyul:
    if file is None:
        raise InputError(
            "No file with landmarks was chosen.",
            advice="Choose one; 'medsegai standardise' learns landmarks from a set of scans.",
        )
    try:
        return Nyul.from_json(Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{file}' cannot be read as a file of landmarks.", advice="Choose another file.") from error


def _setting(found: Any, hint: Any, step: type[Step]) -> StepSetting | None:
    may_be_empty, kinds = _without_none(hint)
    words = _WORDS.get((step, found.name), FOREGROUNDS if found.name == "foreground" else ())
    kind = _KINDS.get(kinds[0]) if len(kinds) == 1 else None
    if kind is None or found.default is MISSING:
        return None
    title = found.name.replace("_", " ")
    return StepSetting(found.name, title, SettingKind.CHOICE if words else kind, found.default, may_be_empty, words)


def _without_none(hint: Any) -> tuple[bool, list[Any]]:
    if typing.get_origin(hint) not in (Union, types.UnionType):
        return False, [hint]
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
    return len(kinds) < len(typing.get_args(hint)), kinds


def _read(value: Any, setting: StepSetting) -> Any:
    if value is None or value == "":
        return None
    if setting.kind not in (SettingKind.NUMBER, SettingKind.WHOLE_NUMBER) or isinstance(value, bool):
        return value
    return typed_number(value, name=setting.title, whole=setting.kind is SettingKind.WHOLE_NUMBER)
