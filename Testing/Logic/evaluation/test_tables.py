"""A table of scores says the same to people and to machines."""

from __future__ import annotations

import json

import pytest

from MedSegAI.Logic.evaluation.metrics import MaskScores
from MedSegAI.Logic.evaluation.tables import METRICS, CaseScores, Evaluation


def scores(dice: float, hd95_mm: float | None = 1.0) -> MaskScores:
    return MaskScores(dice, 0.8, 0.99, 0.7, 0.98, hd95_mm, 1.5, 1.4)


@pytest.fixture
def an_evaluation() -> Evaluation:
    cases = (
        CaseScores("a", 0.5, {"anterior": scores(0.9, 2.0), "posterior": scores(0.8)}),
        CaseScores("b", 1.5, {"anterior": scores(0.7, None), "posterior": scores(0.6)}),
    )
    return Evaluation("hippocampus-mr", "ab" * 32, "msd_hippocampus", "val", cases)


def test_means_are_over_the_cases_where_a_metric_is_defined(an_evaluation):
    assert an_evaluation.mean("anterior")["dice"] == pytest.approx(0.8)
    assert an_evaluation.mean("anterior")["hd95_mm"] == pytest.approx(2.0)
    assert an_evaluation.seconds == pytest.approx(1.0)


def test_a_metric_defined_for_no_case_has_no_mean(an_evaluation):
    only = Evaluation("m", "", "d", "val", an_evaluation.cases[1:])
    assert only.mean("anterior")["hd95_mm"] is None
    assert " - " in only.to_text()


def test_json_holds_the_means_and_every_case(an_evaluation):
    content = json.loads(an_evaluation.to_json())
    assert content["case_count"] == 2
    assert content["mean"]["posterior"]["dice"] == pytest.approx(0.7)
    assert set(content["mean"]["anterior"]) == set(METRICS)
    assert content["cases"][1]["labels"]["anterior"]["hd95_mm"] is None
    assert content["cases"][0]["seconds"] == 0.5


def test_the_text_has_a_row_for_each_case_and_label_and_for_each_mean(an_evaluation):
    lines = an_evaluation.to_text().splitlines()
    assert lines[0].split() == [
        *("Case", "Label", "Dice", "Sens.", "Spec.", "PPV", "NPV", "HD95", "mm", "mL", "Ref.", "mL"),
        *("Surf.", "Dice", "Error", "mL", "Error", "%", "Lesion", "F1", "Les.", "sens.", "False", "les.", "Seconds"),
    ]
    assert len(lines) == 1 + 1 + 4 + 1 + 2
    assert lines[-2].split()[:5] == ["mean", "of", "2", "anterior", "0.8000"]
    assert "0.9000" in lines[2]


def test_enough_subjects_give_each_mean_an_interval_that_the_text_shows_below_it():
    cases = tuple(CaseScores(f"p{n // 2}_{n}", 0.5, {"lump": scores(0.5 + n / 50)}) for n in range(20))
    evaluation = Evaluation("m", "", "d", "val", cases, subject_rule="^(p[0-9]+)_")
    mean = evaluation.means["lump"]["dice"]
    assert mean.low < mean.value < mean.high
    lines = evaluation.to_text().splitlines()
    assert lines[-2].split()[:4] == ["95%", "from", "lump", f"{mean.low:.4f}"]
    assert lines[-1].split()[:4] == ["95%", "to", "lump", f"{mean.high:.4f}"]
    content = json.loads(evaluation.to_json())
    assert content["interval"]["lump"]["dice"] == pytest.approx([mean.low, mean.high], abs=1e-5)
    assert content["interval"]["lump"]["lesion_f1"] is None
    assert content["subject_count"] == 10


def test_an_evaluation_of_no_case_has_no_labels():
    empty = Evaluation("m", "", "d", "val", ())
    assert empty.label_keys == ()
    assert empty.seconds == 0.0
    assert json.loads(empty.to_json())["mean"] == {}
