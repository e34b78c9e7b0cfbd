"""The table of LUNA16 says what was measured, on how much, and what a reader must know."""

from __future__ import annotations

import json

import numpy as np
import pytest

from MedSegAI.Logic.evaluation.luna16.references import ReferenceKind
from MedSegAI.Logic.evaluation.luna16.scan_record import NoduleScores, ScanRecord
from MedSegAI.Logic.evaluation.luna16.table import Luna16Table
from MedSegAI.Logic.evaluation.metrics import MaskScores


def nodule(series: str, dice: float) -> NoduleScores:
    scores = MaskScores(dice, dice, 0.999, 0.9, 0.999, None if dice == 0 else 2 - dice, 1.0, 1.0)
    return NoduleScores(f"{series}/1", 6.0, 4, dice > 0, scores)


def records(method: str, gain: float = 0.0, *, alarms: int | None = 2, fold_count: int = 2) -> list[ScanRecord]:
    values = (np.linspace(0.6, 0.8, 10) + gain).tolist()
    return [
        ScanRecord(
            *(f"1.{n}", n % fold_count, f"p{n}", method, "s"),
            (nodule(f"1.{n}", value),),
            false_alarms=alarms,
            seconds=1.0,
        )
        for n, value in enumerate(values)
    ]


@pytest.fixture(scope="module")
def table() -> Luna16Table:
    found = records("ours", 0.05, alarms=None) + records("nnU-Net")
    found += [ScanRecord("1.9b", 1, "p9", "nnU-Net", "s", problem="It is cut short.")]
    found += [ScanRecord("1.9c", 1, "p9", "ours", "s", (nodule("1.9c", 0.0),), without=("1.9c/2",))]
    return Luna16Table(tuple(found), ("ours", "nnU-Net"), ReferenceKind.STAPLE)


def test_each_method_has_a_row_over_all_folds_and_one_for_each(table):
    assert [(row.method, row.fold) for row in table.rows] == [
        *(("ours", None), ("nnU-Net", None)),
        *(("ours", 0), ("nnU-Net", 0)),
        *(("ours", 1), ("nnU-Net", 1)),
    ]
    ours, theirs = table.rows[:2]
    assert (ours.scans, ours.nodules, ours.missed) == (11, 11, 1)
    assert (theirs.scans, theirs.nodules, theirs.missed) == (10, 10, 0)
    assert ours.means["dice"].value == pytest.approx(7.5 / 11)
    assert ours.means["hd95_mm"].cases == 10
    assert ours.means["dice"].low < ours.means["dice"].value < ours.means["dice"].high


def test_a_method_that_is_pointed_at_nodules_has_no_false_alarms(table):
    assert table.rows[0].false_alarms.value is None
    assert table.rows[1].false_alarms.value == 2.0


def test_one_fold_needs_no_rows_of_its_own():
    found = tuple(records("ours", fold_count=1))
    assert [row.fold for row in Luna16Table(found, ("ours",), ReferenceKind.STAPLE).rows] == [None]


def test_the_first_method_is_tested_against_each_other_on_common_nodules(table):
    assert [(other, metric) for other, metric, *_ in table.tests] == [("nnU-Net", "dice"), ("nnU-Net", "hd95_mm")]
    _, _, dice, corrected = table.tests[0]
    assert dice.cases == 10
    assert dice.difference == pytest.approx(0.05)
    assert dice.p_value == pytest.approx(2 / 2**10)
    assert corrected == pytest.approx(2 * dice.p_value)


def test_the_text_shows_intervals_and_says_what_must_be_known(table):
    text = table.to_text()
    lines = text.splitlines()
    assert lines[0].split()[:5] == ["Method", "Folds", "Scans", "Nodules", "Missed"]
    for part in ("Dice", "Sens.", "Spec.", "HD95 mm", "False alarms/scan"):
        assert part in lines[0]
    assert "0.7000 (0." in lines[3]
    for part in (
        "STAPLE consensus",
        "no score of the LUNA16 challenge",
        "may have seen these patients",
        "1 annotated nodules have no reference",
        "nnU-Net: 1 scans were passed over",
        "do not rest on the same nodules",
        "cube of 64 mm",
    ):
        assert part in text, part


def test_a_stand_in_is_marked_as_one():
    text = Luna16Table(tuple(records("ours")), ("ours",), ReferenceKind.SPHERES).to_text()
    assert "BALLS OF THE ANNOTATED DIAMETER, a crude stand-in" in text


def test_json_holds_rows_tests_and_every_nodule(table):
    plain = json.loads(table.to_json())
    assert plain["reference"] == "staple"
    assert plain["rows"][1]["mean"]["dice"] == pytest.approx(0.7)
    assert len(plain["rows"][1]["interval"]["dice"]) == 2
    assert (plain["tests"][0]["method"], plain["tests"][0]["against"]) == ("ours", "nnU-Net")
    assert plain["tests"][0]["other"] == pytest.approx(0.7)
    assert len(plain["nodules"]) == 21
    assert plain["nodules"][0]["patient"] == "p0"
    assert plain["passed_over"] == [{"scan": "1.9b", "method": "nnU-Net", "problem": "It is cut short."}]


def test_nothing_measured_is_an_empty_table_and_no_fault():
    table = Luna16Table((), ("ours",), ReferenceKind.STAPLE)
    assert table.rows[0].nodules == 0
    assert " - " in table.to_text() or "-" in table.to_text()
