"""DICOM's dates and times as moments on one clock."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_DATE = re.compile(r"(\d{4})[.\-]?(\d{2})[.\-]?(\d{2})")
_TIME = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(\.\d{1,6})?)?)?")
_DATE_AND_TIME = re.compile(r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)([+\-]\d{4})?")


def moment_of(date: str, time: str) -> datetime:
    """The moment that a DICOM date (DA) and time (TM) name; parts of a second are kept.

    Raises:
        ValueError: if the texts are no date or no time.
    """
    day, clock = _DATE.fullmatch(date.strip()), _TIME.fullmatch(time.strip())
    if day is None or clock is None:
        raise ValueError(f"'{date}' '{time}'")
    hours, minutes, seconds, part = clock.groups(default="0")
    # A leap second (60) is a second that datetime does not know by itself.
    since = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds) + float(part))
    if int(hours) > 23 or int(minutes) > 59 or int(seconds) > 60:
        raise ValueError(f"'{time}'")
    return datetime(*(int(number) for number in day.groups())) + since


def moment_of_datetime(text: str) -> datetime:
    """The moment that a DICOM date time (DT) names, on the clock it was written by.

    An offset from UTC at its end is left out: all times of a series are of one scanner's clock, and the dates and
    times beside it carry none.

    Raises:
        ValueError: if the text is no date with a time.
    """
    found = _DATE_AND_TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text}'")
    return moment_of(found[1], found[2])
