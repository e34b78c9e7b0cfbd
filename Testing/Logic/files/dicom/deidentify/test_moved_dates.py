"""Dates moved by days, in every form that DICOM has."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.files.dicom.deidentify.moved_dates import moved_date


@pytest.mark.parametrize(
    ("text", "days", "moved"),
    [
        ("20240301", -1, "20240229"),
        ("19970117 ", -17, "19961231"),
        ("20200119115444.5+0100", 1, "20200120115444.5+0100"),
        ("2020.01.19", -19, "20191231"),
        ("2020", -1, "2019"),
        ("202003", -1, "202002"),
        ("", -5, ""),
        ("20209919", -5, ""),
        ("unknown", -5, ""),
        ("00010105", -3652, ""),
    ],
)
def test_a_date_moves_and_its_time_stays(text, days, moved):
    assert moved_date(text, days) == moved
