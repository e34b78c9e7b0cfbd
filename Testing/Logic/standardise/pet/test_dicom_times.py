"""DICOM's dates and times as moments."""

from __future__ import annotations

from datetime import datetime

import pytest

from MedSegAI.Logic.standardise.pet.dicom_times import moment_of, moment_of_datetime


@pytest.mark.parametrize(
    ("date", "time", "moment"),
    [
        ("20260301", "110203.5", datetime(2026, 3, 1, 11, 2, 3, 500000)),
        ("20260301", "110203.000001 ", datetime(2026, 3, 1, 11, 2, 3, 1)),
        ("20260301", "1102", datetime(2026, 3, 1, 11, 2)),
        ("20260301", "11", datetime(2026, 3, 1, 11)),
        ("2026.03.01", "11:02:03", datetime(2026, 3, 1, 11, 2, 3)),
        ("20261231", "235960", datetime(2027, 1, 1)),
    ],
)
def test_a_date_and_a_time(date, time, moment):
    assert moment_of(date, time) == moment


def test_an_offset_from_utc_is_left_out():
    assert moment_of_datetime("20260301110203.25+0100") == datetime(2026, 3, 1, 11, 2, 3, 250000)
    assert moment_of_datetime("20260301110203 ") == datetime(2026, 3, 1, 11, 2, 3)


@pytest.mark.parametrize(("date", "time"), [("2026", "11"), ("20260301", "2500"), ("20260231", "11"), ("", "")])
def test_what_is_no_moment_is_refused(date, time):
    with pytest.raises(ValueError):
        moment_of(date, time)
    with pytest.raises(ValueError):
        moment_of_datetime(date + time)
