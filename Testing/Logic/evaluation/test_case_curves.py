"""Several scores of the same cases, measured and tested against each other."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.case_curves import measure_case_curves
from MedSegAI.Logic.evaluation.roc import area_under_roc
from MedSegAI.Logic.evaluation.scored import scored
from MedSegAI.Logic.files.score_table import ScoreTable

RANDOM = np.random.default_rng(5)
TRUTH = np.arange(90) < 30
SCORES = {name: gain * TRUTH + RANDOM.normal(size=90) for name, gain in (("a", 1.5), ("b", 0.5), ("c", 0.0))}


def test_every_score_is_measured_and_every_pair_tested():
    found = measure_case_curves(ScoreTable(TRUTH, SCORES, None))
    assert list(found.areas) == ["a", "b", "c"]
    assert found.areas["a"] == area_under_roc(scored(TRUTH, SCORES["a"]))
    assert found.precisions["a"].by_chance == pytest.approx(1 / 3)
    assert [(one, other) for one, other, *_ in found.tests] == [("a", "b"), ("a", "c"), ("b", "c")]
    for _, _, difference, corrected in found.tests:
        assert difference.p_value <= corrected <= 1
    assert not found.has_subjects


def test_the_text_and_the_notes_say_what_the_figures_rest_on():
    text = measure_case_curves(ScoreTable(TRUTH, SCORES, None)).to_text()
    for part in ("DeLong's interval on the logit scale", "3 pairs were tested", "By chance"):
        assert part in text
    assert "Several cases of one subject" not in text
    by_subject = ScoreTable(TRUTH, {"a": SCORES["a"]}, tuple(str(n // 3) for n in range(90)))
    found = measure_case_curves(by_subject)
    assert "Several cases of one subject" in found.to_text()
    assert found.tests == ()
    assert found.to_plain()["scores"]["a"]["auc"]["positives"] == 30


def test_a_perfect_score_is_said_to_have_no_interval():
    found = measure_case_curves(ScoreTable(TRUTH, {"p": TRUTH.astype(float)}, None))
    assert "without a mistake has no interval" in found.to_text()


def test_one_class_is_refused_by_the_score_s_name():
    with pytest.raises(InputError, match="None of the 3 cases is negative"):
        measure_case_curves(ScoreTable(np.ones(3, bool), {"a": np.zeros(3)}, None))
