"""The steps of preparation by name: what a face offers, and what the command line and files mean by a word."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.ct.clip import ClipCt
from MedSegAI.Logic.standardise.ct.hounsfield import Hounsfield
from MedSegAI.Logic.standardise.ct.offset import HuOffset
from MedSegAI.Logic.standardise.ct.window import WindowCt
from MedSegAI.Logic.standardise.mr.histogram_match import HistogramMatch
from MedSegAI.Logic.standardise.mr.n4 import N4
from MedSegAI.Logic.standardise.mr.nyul import Nyul
from MedSegAI.Logic.standardise.mr.percentile import PercentileRange
from MedSegAI.Logic.standardise.mr.z_score import RobustZScore
from MedSegAI.Logic.standardise.pet.suv import Suv
from MedSegAI.Logic.standardise.step import Step
from MedSegAI.Logic.volume import Modality


@functools.cache
def step_kinds() -> dict[str, type[Step]]:
    """Every kind of step by its key, in the order in which they are usually applied."""
    ct = (Hounsfield, HuOffset, ClipCt, WindowCt)
    mr = (N4, Nyul, HistogramMatch, RobustZScore, PercentileRange)
    return {kind.kind: kind for kind in (*ct, *mr, Suv)}


def step_kinds_for(modality: Modality) -> tuple[type[Step], ...]:
    """The kinds of step that are meant for scans of this modality; all of them where it is not known."""
    kinds = tuple(step_kinds().values())
    return kinds if modality is Modality.UNKNOWN else tuple(kind for kind in kinds if modality in kind.modalities)


def step_from_plain(kind: str, settings: Mapping[str, Any]) -> Step:
    """The step of this kind with these settings; what is left out takes its default.

    Raises:
        InputError: for a kind or a setting that does not exist, or a value the step refuses.
    """
    found = step_kinds().get(kind)
    if found is None:
        raise InputError(f"There is no step '{kind}'.", advice=f"There are: {', '.join(step_kinds())}.")
    known = [field.name for field in fields(found)]
    unknown = sorted(set(settings) - set(known))
    if unknown:
        advice = f"It has: {', '.join(known)}." if known else "It has none."
        raise InputError(f"'{kind}' has no setting '{unknown[0]}'.", advice=advice)
    try:
        return found(**settings)
    except (TypeError, ValueError) as error:
        raise InputError(f"The settings of '{kind}' are not usable: {error}.", advice="Mend them.") from error


def step_from_text(text: str) -> Step:
    """The step that a word on the command line means: ``KIND`` or ``KIND:setting=value,setting=value``.

    Raises:
        InputError: as :func:`step_from_plain`, or for a text that is not of this form.
    """
    return step_from_plain(*settings_of_text(text))


def settings_of_text(text: str) -> tuple[str, dict[str, Any]]:
    """The kind and the settings that such a word names, before it is known whether there are such.

    Raises:
        InputError: for a text that is not of this form, or settings that contradict each other.
    """
    kind, _, rest = text.partition(":")
    settings = {}
    for part in filter(None, rest.split(",")):
        name, sign, value = part.partition("=")
        if not sign:
            raise InputError(f"'{part}' in '{text}' is no setting.", advice=f"Write it as {kind}:setting=value.")
        settings[name.strip().replace("-", "_")] = _value(value.strip())
    return kind.strip(), _as_meant(kind.strip(), settings)


def _as_meant(kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    try:
        return WindowCt.settings_as_meant(settings) if kind == WindowCt.kind else settings
    except ValueError as error:
        raise InputError(f"The settings of '{kind}' are not usable: {error}.", advice="Leave one out.") from error


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
