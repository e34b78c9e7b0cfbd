"""Where in the body something lies: by its own code, else by the part that was examined."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.files.dicom.anatomic_region import anatomic_region, is_anatomy, side_of
from MedSegAI.Logic.labels import Code, Label, Terminology

ANATOMY, FOUND = Code("SCT", "123037004", "Anatomical Structure"), Code("SCT", "49755003", "Morphologic abnormality")
KIDNEY, MASS = Code("SCT", "64033007", "Kidney"), Code("SCT", "4147007", "Mass")


def label(category, kind, side=None):
    coded = None if category is None else Terminology(category, kind, side)
    return Label(1, "one", "One", (1, 0, 0), coded)


@pytest.mark.parametrize(("value", "letter"), [("7771000", "L"), ("24028007", "R"), ("51440002", "B"), ("1", "U")])
def test_a_structure_is_its_own_region_with_its_side(value, letter):
    assert anatomic_region(label(ANATOMY, KIDNEY, Code("SCT", value, "side")), "CHEST") == (KIDNEY, letter)


def test_a_structure_without_a_side_is_unpaired():
    assert anatomic_region(label(ANATOMY, KIDNEY), "") == (KIDNEY, "U")
    assert side_of(label(ANATOMY, KIDNEY)) is None


@pytest.mark.parametrize("given", [None, label(None, None), label(FOUND, MASS)])
def test_what_is_no_anatomy_lies_where_the_series_says(given):
    assert given is None or not is_anatomy(given)
    region, side = anatomic_region(given, "BRAIN")
    assert (region.meaning, side) == ("Brain", "U")
    assert anatomic_region(given, "") is None
    assert anatomic_region(given, "SOMEWHERE") is None
