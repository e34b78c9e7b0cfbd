"""The settings that a kind of step has, with what they are where nothing is said."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

from MedSegAI.Logic.standardise.step import Step


def step_settings(kind: type[Step]) -> dict[str, Any]:
    """Each setting of a kind of step and its default as a JSON value; None where the step finds a value by itself."""
    settings = {}
    for field in fields(kind):
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        settings[field.name] = list(default) if isinstance(default, tuple) else None if default is MISSING else default
    return settings
