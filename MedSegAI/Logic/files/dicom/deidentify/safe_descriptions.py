"""Descriptions reduced to words that say something of the picture and nothing of a person."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

_PARTS = re.compile(r"[\w*]+")
# A measure such as 3mm, 15T or b1000; several digits alone may be of a date, or somebody's number.
_MEASURE = re.compile(r"(?:b|te|tr|ti|fa)\d{1,4}|\d{1,4}(?:mm|cm|t|ms|s|deg|hu|kv|ma)|\d")


def safe_words(text: str) -> str:
    """Those words of a description that are terms of imaging, body parts or short measures, in their order."""
    return " ".join(word for word in _PARTS.findall(text.replace("_", " ")) if _is_safe(word.casefold()))


def _is_safe(word: str) -> bool:
    return word in _words() or _MEASURE.fullmatch(word) is not None


@functools.cache
def _words() -> frozenset[str]:
    return frozenset(json.loads(Path(__file__).with_name("safe_words.json").read_text(encoding="utf-8")))
