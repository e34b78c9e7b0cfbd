"""A label table is what gives numbers their names."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import LabelError
from MedSegAI.Logic.labels import Label, LabelTable

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
