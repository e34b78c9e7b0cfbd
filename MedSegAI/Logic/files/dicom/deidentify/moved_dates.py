"""Dates of DICOM moved by whole days."""

from __future__ import annotations

import datetime

_DAY = 8


def moved_date(text: str, days: int) -> str:
    """A date or date-time (DA or DT) moved by ``days``, its time and offset as they were; empty where it is no date.

    Of a date-time that is given to the year or the month only, the first day of it is moved, and cut as before.
    """
    digits = text.strip().replace(".", "", 2) if text.count(".") == 2 and len(text.strip()) == 10 else text.strip()
    day = digits[:_DAY]
    written = len(day)
    if not day.isdigit() or written not in (4, 6, _DAY):
        return ""
    try:
        date = datetime.datetime.strptime(f"{day}0101"[:_DAY] if written == 4 else f"{day}01"[:_DAY], "%Y%m%d")
        moved = date + datetime.timedelta(days=days)
    except (ValueError, OverflowError):
        return ""
    return f"{moved:%Y%m%d}"[:written] + digits[_DAY:]
