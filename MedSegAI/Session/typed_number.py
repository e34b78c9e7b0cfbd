"""Numbers as a person types them, with a point or a comma before the decimals."""

from __future__ import annotations

import re

from MedSegAI.Logic.errors import InputError

# "1,500" is 1500 to one reader and 1.5 to another; "0,125" and "1,5" can only be meant one way.
_READ_TWO_WAYS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")


def typed_number(text: object, *, name: str = "", whole: bool = False) -> float | int:
    """The number that a text stands for.

    Args:
        text: As it was typed, or a number already.
        name: What it is for, as errors name it; may be empty.
        whole: Whether only a whole number will do.

    Raises:
        InputError: if it is no number, or one that can be read in two ways.
    """
    typed, place = str(text).strip(), f" for '{name}'" if name else ""
    if _READ_TWO_WAYS.fullmatch(typed):
        plain = typed.replace(",", "")
        raise InputError(
            f"'{typed}'{place} could be {plain} or {float(typed.replace(',', '.', 1).replace(',', '')):g}.",
            advice="Write thousands without a comma, and decimals with a point.",
        )
    try:
        return (int if whole else float)(typed.replace(",", "."))
    except ValueError as error:
        kind = "whole number" if whole else "number"
        raise InputError(f"'{typed}' is no {kind}{place}.", advice="Write it in digits, such as 40.") from error
