"""Numbers as they are typed: with a point or a comma, and never taken for another number."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Session.typed_number import typed_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("40", 40.0),
        (" -1024 ", -1024.0),
        ("1,5", 1.5),
        ("0,125", 0.125),
        ("1e-3", 0.001),
        ("1500.25", 1500.25),
        (7, 7.0),
    ],
)
def test_a_point_or_a_comma_stands_before_the_decimals(text, number):
    assert typed_number(text) == number


def test_a_whole_number_is_one():
    assert typed_number("4", whole=True) == 4
    with pytest.raises(InputError, match=r"'4\.5' is no whole number for 'shrink'"):
        typed_number("4.5", name="shrink", whole=True)


@pytest.mark.parametrize("text", ["", "four", "1.2.3", "--1"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(InputError, match="is no number"):
        typed_number(text)


@pytest.mark.parametrize(("text", "plain", "small"), [("1,500", "1500", "1.5"), ("-1,024", "-1024", "-1.024")])
def test_a_comma_that_could_stand_for_thousands_is_asked_about(text, plain, small):
    with pytest.raises(InputError, match=f"'{text}' for 'level' could be {plain} or {small}"):
        typed_number(text, name="level")
