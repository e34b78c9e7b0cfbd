"""The settings that a kind of step has, with what they are where nothing is said."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from MedSegAI.Logic.standardise.step import Step


def step_settings(kind: type[Step]) -> dict[str, Any]:
    """Each setting of a kind of step and its default as a JSON value."""
    return {one.name: list(one.default) if isinstance(one.default, tuple) else one.default for one in fields(kind)}
