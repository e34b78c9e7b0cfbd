"""Choices of a network's construction, as a card writes them."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from MedSegAI.Logic.errors import ModelError

Choice = TypeVar("Choice", bound=Enum)


def chosen(kind: type[Choice], value: Choice | str, argument: str) -> Choice:
    """The choice of this value.

    Raises:
        ModelError: if ``kind`` has none, naming the argument and what there is.
    """
    try:
        return kind(value)
    except ValueError as error:
        raise ModelError(
            f"{argument} is '{value}', not one of {', '.join(choice.value for choice in kind)}.",
            advice="Correct the model's card.",
        ) from error


def chosen_or_none(kind: type[Choice], value: Choice | str | None, argument: str) -> Choice | None:
    """:func:`chosen`, or None where None is given."""
    return None if value is None else chosen(kind, value, argument)
