"""Areas, variances and tests have the values of the definition, of scikit-learn and of published examples."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.roc import Scored, area_under_roc, compare_areas, roc_curve
from MedSegAI.Logic.evaluation.scored import scored


def some_cases(seed: int, *, positives: int = 40, negatives: int = 60, decimals: int = 1) -> Scored:
    """Rounded scores, so that many are equal."""
    random = np.random.default_rng(seed)
    truth = np.arange(positives + negatives) < positives
    return scored(truth, np.round(random.normal(size=len(truth)) + truth, decimals))


def kernel(cases: Scored) -> np.ndarray:
    """1 where the positive case (row) scores higher than the negative one (column), one half where equal: (m, n)."""
    positive, negative = cases.scores[cases.truth][:, None], cases.scores[~cases.truth][None]
    return (positive > negative) + 0.5 * (positive == negative)


def delong_by_definition(one: Scored, other: Scored) -> np.ndarray:
    """The covariance matrix of two areas from all m n pairs, as DeLong et al. write it."""
    kernels = [kernel(one), kernel(other)]
    rows, columns = (np.stack([k.mean(axis=axis) for k in kernels]) for axis in (1, 0))
    return np.cov(rows) / rows.shape[1] + np.cov(columns) / columns.shape[1]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_area_and_variance_are_those_of_all_pairs(seed, decimals):
    cases = some_cases(seed, decimals=decimals)
    area = area_under_roc(cases)
    assert area.value == pytest.approx(kernel(cases).mean(), abs=1e-12)
    assert area.variance == pytest.approx(delong_by_definition(cases, cases)[0, 0], rel=1e-9)
    assert (area.positives, area.negatives) == (40, 60)


@pytest.mark.parametrize("seed", range(3))
def test_the_test_of_two_curves_is_that_of_all_pairs(seed):
    one, noise = some_cases(seed), np.random.default_rng(seed + 50).normal(size=100)
    other = scored(one.truth, one.scores + noise)
    covariance = delong_by_definition(one, other)
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    found = compare_areas(one, other)
    assert found.difference == pytest.approx(kernel(one).mean() - kernel(other).mean())
    assert found.z == pytest.approx(found.difference / error, rel=1e-9)
    assert found.low == pytest.approx(found.difference - 1.959964 * error, abs=1e-6)
    assert compare_areas(other, one).p_value == pytest.approx(found.p_value)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("decimals", [0, 6])
def test_curve_and_area_are_those_of_scikit_learn(seed, decimals):
    metrics = pytest.importorskip("sklearn.metrics")
    cases = some_cases(seed, decimals=decimals)
    false, true, thresholds = metrics.roc_curve(cases.truth, cases.scores, drop_intermediate=False)
    curve = roc_curve(cases)
    np.testing.assert_allclose(curve.false_positive_rate, false)
    np.testing.assert_allclose(curve.true_positive_rate, true)
    np.testing.assert_allclose(curve.thresholds, thresholds)
    assert area_under_roc(cases).value == pytest.approx(metrics.roc_auc_score(cases.truth, cases.scores))


def test_hanley_and_mcneil_s_example_has_its_area():
    """Hanley and McNeil 1982, Radiology 143: 109 CT scans rated on five steps; the area is 0.893.

    Their own standard error, from an exponential model, is 0.032; DeLong's is near it.
    """
    normal, abnormal = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
    rating = np.repeat(np.tile(np.arange(1, 6), 2), normal + abnormal)
    area = area_under_roc(scored(np.arange(109) >= 58, rating))
    assert area.value == pytest.approx(0.893, abs=5e-4)
    assert np.sqrt(area.variance) == pytest.approx(0.032, abs=0.002)
    assert 0.80 < area.low < 0.84 < area.value < 0.94 < area.high < 0.96


def test_an_area_by_hand():
    """Positive 3, 2; negative 1, 2, 0: of six pairs five are right and one is equal."""
    area = area_under_roc(scored(np.array([1, 1, 0, 0, 0]), np.array([3, 2, 1, 2, 0])))
    assert area.value == pytest.approx(5.5 / 6)


def test_intervals_of_repeated_samples_hold_the_true_area_as_often_as_they_say():
    """Scores of unit variance one apart: the true area is the normal distribution at 1 / sqrt(2)."""
    true_area = 0.7602499
    random = np.random.default_rng(7)
    truth = np.arange(80) < 35
    held = []
    for _ in range(400):
        area = area_under_roc(scored(truth, random.normal(size=80) + truth))
        held.append(area.low <= true_area <= area.high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


def test_the_p_values_of_equal_methods_are_even():
    random = np.random.default_rng(2)
    truth = np.arange(100) < 50
    signal = random.normal(size=(300, 100)) + truth
    p_values = [
        compare_areas(*(scored(truth, row + random.normal(size=100)) for _ in range(2))).p_value for row in signal
    ]
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.035)
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(("scores", "value"), [((0, 0, 1, 1), 1.0), ((1, 1, 0, 0), 0.0)])
def test_a_perfect_curve_has_no_interval(scores, value):
    area = area_under_roc(scored(np.array([0, 0, 1, 1]), np.array(scores)))
    assert (area.value, area.variance, area.low, area.high) == (value, 0.0, None, None)


def test_a_score_that_says_nothing_has_half_the_area():
    area = area_under_roc(scored(np.array([0, 1, 0, 1]), np.zeros(4)))
    assert (area.value, area.low, area.high) == (0.5, 0.5, 0.5)


def test_one_case_of_a_class_gives_an_area_and_no_variance():
    area = area_under_roc(scored(np.array([0, 0, 1]), np.array([0.1, 0.5, 0.3])))
    assert (area.value, area.variance, area.low) == (0.5, None, None)
    cases = scored(np.array([0, 0, 1]), np.array([0.1, 0.5, 0.3]))
    assert compare_areas(cases, cases).p_value is None


def test_a_score_does_not_differ_from_itself_nor_from_its_own_order():
    cases = some_cases(1)
    found = compare_areas(cases, scored(cases.truth, np.exp(cases.scores)))
    assert (found.difference, found.z, found.p_value) == (0.0, 0.0, 1.0)


def test_only_scores_of_the_same_cases_can_be_compared():
    one = some_cases(1)
    with pytest.raises(InputError, match="not of the same cases"):
        compare_areas(one, scored(~one.truth, one.scores))


def test_a_million_cases_take_no_million_pairs():
    import time

    truth = np.random.default_rng(0).random(1_000_000) < 0.3
    scores = np.random.default_rng(1).normal(size=1_000_000) + truth
    start = time.process_time()
    assert area_under_roc(scored(truth, scores)).value == pytest.approx(0.760, abs=0.002)
    assert time.process_time() - start < 10
