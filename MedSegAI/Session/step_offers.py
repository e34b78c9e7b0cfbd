"""The steps of preparation as a face offers them: titles, and settings as plain values with their types."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from typing import Any, Literal, Union

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.catalogue import step_from_plain, step_kinds
from MedSegAI.Logic.standardise.step import Step


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


@dataclass(frozen=True)
class StepOffer:
    """One kind of step.

    Args:
        kind: Its key, as ``Logic/standardise/catalogue.py`` has it.
        title: What a person reads.
        settings: Those that are plain values.
    """

    kind: str
    title: str
    settings: tuple[StepSetting, ...]


def offer_of(kind: type[Step]) -> StepOffer:
    """How a kind of step is offered; settings that are no plain values are left out."""
    hints = typing.get_type_hints(kind)
    offered = (_setting(field, hints[field.name]) for field in fields(kind) if field.init)
    return StepOffer(kind.kind, kind.title, tuple(setting for setting in offered if setting is not None))


def step_of(kind: str, typed: Mapping[str, Any]) -> Step:
    """The step with settings as a person typed them: texts are read as what the setting is, empty ones left out.

    Raises:
        InputError: for a text that is no number where one is wanted, or as ``step_from_plain``.
    """
    found = step_kinds().get(kind)
    settings = dict(typed)
    for setting in () if found is None else offer_of(found).settings:
        if setting.name in settings:
            value = _read(settings.pop(setting.name), setting)
            if value is not None:
                settings[setting.name] = value
    return step_from_plain(kind, settings)


def _setting(field: Any, hint: Any) -> StepSetting | None:
    may_be_empty, kinds = _without_none(hint)
    kind, options = (None, ()) if len(kinds) != 1 else _kind_of(kinds[0])
    if kind is None or field.default is MISSING:
        return None
    default = field.default.value if isinstance(field.default, Enum) else field.default
    return StepSetting(field.name, field.name.replace("_", " "), kind, default, may_be_empty, options)


def _without_none(hint: Any) -> tuple[bool, list[Any]]:
    if typing.get_origin(hint) not in (Union, types.UnionType):
        return False, [hint]
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
    return len(kinds) < len(typing.get_args(hint)), kinds


def _kind_of(hint: Any) -> tuple[SettingKind | None, tuple[str, ...]]:
    if typing.get_origin(hint) is Literal:
        return SettingKind.CHOICE, tuple(str(value) for value in typing.get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return SettingKind.CHOICE, tuple(str(member.value) for member in hint)
    plain = {float: SettingKind.NUMBER, int: SettingKind.WHOLE_NUMBER, bool: SettingKind.SWITCH, str: SettingKind.TEXT}
    return plain.get(hint), ()


def _read(value: Any, setting: StepSetting) -> Any:
    if value is None or value == "":
        return None
    reads = {SettingKind.NUMBER: float, SettingKind.WHOLE_NUMBER: int}.get(setting.kind)
    if reads is None or isinstance(value, bool):
        return value
    try:
        return reads(str(value).strip().replace(",", "."))
    except ValueError as error:
        raise InputError(
            f"'{value}' is no {setting.kind.value} for '{setting.title}'.", advice="Write it in digits, such as 4."
        ) from error
