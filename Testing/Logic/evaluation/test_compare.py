"""Two evaluations of the same cases, side by side."""

from __future__ import annotations

import dataclasses

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.compare import compare_evaluations
from MedSegAI.Logic.evaluation.metrics import MaskScores, ScoreSettings
from MedSegAI.Logic.evaluation.tables import CaseScores, Evaluation


def scores(dice: float, surface: float | None = 0.9) -> MaskScores:
    return MaskScores(dice, 0.8, 0.99, 0.7, 0.98, 3 - dice, 1.5, 1.4, surface_dice=surface)


def evaluation(name: str, gain: float, count: int = 12) -> Evaluation:
    cases = tuple(CaseScores(f"case{n}", 0.1, {"lump": scores(0.5 + n / 40 + gain * (n + 1))}) for n in range(count))
    return Evaluation(name, "ab", "folder", "val", cases)


def test_each_score_is_compared_case_by_case():
    found = compare_evaluations(evaluation("ours", 0.01), evaluation("theirs", 0.0))
    assert [(score.label, score.metric) for score in found.scores] == [
        ("lump", metric) for metric in ("dice", "hd95_mm", "surface_dice")
    ]
    dice, distance, surface = (score.paired for score in found.scores)
    assert dice.difference == pytest.approx(0.065)
    assert dice.p_value == pytest.approx(2 / 2**12)
    assert distance.difference == pytest.approx(-0.065)
    assert (surface.difference, surface.p_value) == (0.0, 1.0)
    assert found.scores[0].holm_p == pytest.approx(3 * dice.p_value)


def test_the_text_says_who_is_who_how_many_tests_were_made_and_what_is_missing():
    text = compare_evaluations(evaluation("ours", 0.01, count=14), evaluation("theirs", 0.0)).to_text()
    assert text.startswith("A: ours\nB: theirs\n")
    for part in ("3 tests were made", "Holm", "2 cases of 'ours' are not in the other table"):
        assert part in text
    row = next(line for line in text.splitlines() if " Dice " in line)
    assert "0.0650" in row
    assert row.split()[-1] == "12"


def test_what_an_older_table_lacks_is_left_out_and_said():
    old = evaluation("old", 0.0)
    cases = tuple(dataclasses.replace(case, labels={"lump": scores(0.5, surface=None)}) for case in old.cases)
    found = compare_evaluations(evaluation("new", 0.1), dataclasses.replace(old, cases=cases))
    assert found.scores[2].paired.p_value is None
    assert found.scores[2].holm_p is None
    assert "left out" in found.to_text()
    assert found.to_plain()["scores"][2]["left_out"] == 12


def test_other_scores_can_be_chosen():
    found = compare_evaluations(evaluation("a", 0.1), evaluation("b", 0.0), metrics=["ppv"])
    assert [score.metric for score in found.scores] == ["ppv"]


def test_what_cannot_be_compared_is_refused_with_a_sentence():
    ours = evaluation("ours", 0.1)
    renamed = tuple(dataclasses.replace(case, case="x" + case.case) for case in ours.cases)
    with pytest.raises(InputError, match="no case in common"):
        compare_evaluations(ours, dataclasses.replace(ours, cases=renamed))
    other_label = tuple(dataclasses.replace(case, labels={"other": scores(0.5)}) for case in ours.cases)
    with pytest.raises(InputError, match="no label in common"):
        compare_evaluations(ours, dataclasses.replace(ours, cases=other_label))
    with pytest.raises(InputError, match="no score 'accuracy'"):
        compare_evaluations(ours, ours, metrics=["accuracy"])
    with pytest.raises(InputError, match=r"tolerance_mm 1.0 and 2.0"):
        compare_evaluations(ours, dataclasses.replace(ours, scoring=ScoreSettings(tolerance_mm=2.0)))
    lenient = dataclasses.replace(ours, scoring=ScoreSettings(tolerance_mm=2.0, lesion_iou=0.5))
    assert compare_evaluations(ours, lenient, metrics=["dice"]).scores[0].paired.difference == 0.0
    with pytest.raises(InputError, match="lesion_iou"):
        compare_evaluations(ours, lenient, metrics=["lesion_f1"])
