"""One check of a field, said in a sentence."""

from __future__ import annotations

from MedSegAI.Logic.errors import InputError


def need(condition: bool, problem: str, advice: str) -> None:
    """Refuse a configuration unless ``condition`` holds.

    Args:
        condition: What must be so.
        problem: The field and its value, such as "optimiser.learning_rate is 0.0", without a full stop.
        advice: What to write instead, without a full stop.

    Raises:
        InputError: saying both as sentences.
    """
    if not condition:
        raise InputError(f"{problem}.", advice=f"{advice[0].upper()}{advice[1:]}.")


def need_one_of(value: str, choices: tuple[str, ...], name: str) -> None:
    """Refuse a word that is not one of the choices of the field ``name``.

    Raises:
        InputError: naming the choices.
    """
    *others, last = (f"'{choice}'" for choice in choices)
    need(value in choices, f"{name} is '{value}'", f"write {', '.join(others)} or {last}")
