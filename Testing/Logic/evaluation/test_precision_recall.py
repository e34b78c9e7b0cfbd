"""Precision and recall have the values of the definition and of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.evaluation.intervals import Bootstrap
from MedSegAI.Logic.evaluation.precision_recall import average_precision, precision_recall_curve
from MedSegAI.Logic.evaluation.scored import Scored, scored


def some_cases(seed: int, *, decimals: int = 1, count: int = 100) -> Scored:
    random = np.random.default_rng(seed)
    truth = np.arange(count) < count * 0.3
    return scored(truth, np.round(random.normal(size=count) + truth, decimals))


def test_a_curve_by_hand():
    """From the top: a positive; a positive and a negative with one score; a negative."""
    cases = scored(np.array([1, 1, 0, 0]), np.array([0.9, 0.5, 0.5, 0.1]))
    curve = precision_recall_curve(cases)
    assert curve.recall.tolist() == [0.5, 1.0, 1.0]
    assert curve.precision == pytest.approx([1.0, 2 / 3, 0.5])
    assert curve.thresholds.tolist() == [0.9, 0.5, 0.1]
    assert average_precision(cases).value == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_the_average_precision_is_that_of_scikit_learn(seed, decimals):
    metrics = pytest.importorskip("sklearn.metrics")
    cases = some_cases(seed, decimals=decimals)
    assert average_precision(cases).value == pytest.approx(metrics.average_precision_score(cases.truth, cases.scores))
    precision, recall, _ = metrics.precision_recall_curve(cases.truth, cases.scores)
    curve = precision_recall_curve(cases)
    np.testing.assert_allclose(curve.precision, precision[:-1][::-1])
    np.testing.assert_allclose(curve.recall, recall[:-1][::-1])


def test_a_score_that_says_nothing_reaches_the_share_of_positives():
    found = average_precision(scored(np.arange(50) < 10, np.zeros(50)))
    assert found.value == pytest.approx(found.by_chance)
    assert found.by_chance == pytest.approx(0.2)


def test_the_interval_holds_the_value_and_is_that_of_the_seed():
    cases = some_cases(4)
    found = average_precision(cases, bootstrap=Bootstrap(replicates=300, seed=3))
    assert 0 < found.low < found.value < found.high < 1
    assert found == average_precision(cases, bootstrap=Bootstrap(replicates=300, seed=3))


def test_subjects_are_drawn_with_all_their_cases():
    """Ten equal cases of each subject tell no more than one."""
    cases, settings = some_cases(4), Bootstrap(replicates=300)
    many = scored(np.repeat(cases.truth, 10), np.repeat(cases.scores, 10))
    once = average_precision(cases, bootstrap=settings)
    grouped = average_precision(many, subjects=[f"s{n:03}" for n in range(100) for _ in range(10)], bootstrap=settings)
    blind = average_precision(many, bootstrap=settings)
    assert grouped.low == pytest.approx(once.low)
    assert blind.high - blind.low < 0.5 * (grouped.high - grouped.low)


def test_few_subjects_get_no_interval_and_draws_without_a_positive_are_left_out():
    assert average_precision(some_cases(1, count=7), bootstrap=Bootstrap()).low is None
    rare = scored(np.arange(30) < 1, np.arange(30.0)[::-1])
    found = average_precision(rare, bootstrap=Bootstrap(replicates=200))
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
