"""A label table is what gives numbers their names."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from MedSegAI.Logic.errors import LabelError
from MedSegAI.Logic.labels import Code, Label, LabelTable, Terminology

LIVER = Label(2, "liver", "Liver", (0.8, 0.3, 0.2))
SPLEEN = Label(1, "spleen", "Spleen", (0.6, 0.2, 0.4))


def test_labels_are_kept_in_order_of_value():
    table = LabelTable((LIVER, SPLEEN))
    assert [label.value for label in table] == [1, 2]
    assert len(table) == 2


@pytest.mark.parametrize("wanted", ["liver", "LIVER", "2", 2])
def test_a_label_is_found_by_key_name_or_value(wanted: str | int):
    assert LabelTable((LIVER, SPLEEN)).find(wanted) is LIVER


def test_a_label_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(LabelError, match=r"no label 'kidney'.*spleen \(1\), liver \(2\)"):
        LabelTable((LIVER, SPLEEN)).find("kidney")


@pytest.mark.parametrize(
    "wrong",
    [
        Label(2, "other", "Other", (0, 0, 0)),
        Label(3, "liver", "Other", (0, 0, 0)),
        Label(0, "zero", "Zero", (0, 0, 0)),
        Label(256, "big", "Big", (0, 0, 0)),
    ],
)
def test_a_table_without_meaning_is_refused(wrong: Label):
    with pytest.raises(LabelError):
        LabelTable((LIVER, wrong))


def test_a_table_survives_json():
    anatomical = Code("SCT", "123037004", "Anatomical Structure")
    coded = Terminology(anatomical, Code("SCT", "10200004", "Liver"))
    sided = Terminology(anatomical, Code("SCT", "78961009", "Spleen"), Code("SCT", "7771000", "Left"))
    table = LabelTable(
        (replace(LIVER, terminology=coded), replace(SPLEEN, terminology=sided), Label(3, "a", "A", (0, 0, 1)))
    )
    assert LabelTable.from_plain(json.loads(json.dumps(table.to_plain()))) == table
