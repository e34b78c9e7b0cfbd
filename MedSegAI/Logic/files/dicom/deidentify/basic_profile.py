"""The table of DICOM's Basic Application Level Confidentiality Profile (PS3.15 Annex E, Table E.1-1)."""

from __future__ import annotations

import functools
import json
from enum import Enum
from pathlib import Path

_TABLE = Path(__file__).with_name("basic_profile.json")
# Curves and overlays are drawings on the picture, and may be writing.
_DRAWINGS = (0x5000, 0x6000)


class Action(str, Enum):
    """What the profile does with an attribute; where it leaves a choice, the table's code names all of them."""

    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    NEW_UID = "U"
    DUMMY_OR_EMPTY = "Z/D"
    EMPTY_OR_REMOVE = "X/Z"
    DUMMY_OR_REMOVE = "X/D"
    ANY = "X/Z/D"
    REFERENCES = "X/Z/U*"


@functools.cache
def basic_profile() -> dict[int, Action]:
    """The action of every attribute that the table names, by tag."""
    actions = json.loads(_TABLE.read_text(encoding="utf-8"))["actions"]
    return {int(tag, 16): Action(code) for tag, code in actions.items()}


def action_of(tag: int) -> Action | None:
    """What the profile does with the attribute, None where it leaves it as it is."""
    if tag >> 16 & 0xFF00 in _DRAWINGS:
        return Action.REMOVE
    return basic_profile().get(tag)
