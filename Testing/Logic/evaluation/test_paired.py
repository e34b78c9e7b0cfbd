"""Two methods on the same cases."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.evaluation.intervals import Bootstrap
from MedSegAI.Logic.evaluation.paired import holm, paired_difference, signed_rank_p


def by_case(values) -> dict[str, float]:
    return {f"c{n:03}": value for n, value in enumerate(values)}


def test_a_small_steady_gain_is_found_though_cases_differ_far_more():
    random = np.random.default_rng(0)
    one = random.uniform(0.5, 0.9, 60)
    other = one - 0.01 + random.normal(0, 0.01, 60)
    found = paired_difference(by_case(one), by_case(other))
    assert found.cases == 60
    assert found.difference == pytest.approx((one - other).mean())
    assert 0 < found.low < found.difference < found.high
    assert found.p_value < 1e-5


def test_the_exact_p_value_is_the_one_counted_by_hand():
    """Of the 2**5 ways to give five ranks a sign, one has all of them positive and one all negative."""
    assert signed_rank_p(np.array([1.0, 2, 3, 4, 5])) == pytest.approx(2 / 32)


def test_the_p_value_of_darwin_s_maize_is_the_known_one():
    """Heights in eighths of an inch of crossed minus self-fertilised plants; the sum of the negative ranks is 24."""
    maize = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], float)
    assert signed_rank_p(maize) == pytest.approx(0.0413, abs=5e-4)


def test_equal_methods_differ_by_nothing():
    values = by_case(np.linspace(0.1, 0.9, 12))
    found = paired_difference(values, values)
    assert (found.difference, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_cases_of_one_method_only_do_not_count_and_undefined_ones_are_told():
    found = paired_difference({"a": 1.0, "b": None, "c": 3.0, "d": 9.0}, {"a": 0.5, "b": 1.0, "c": 2.0, "e": 7.0})
    assert (found.cases, found.left_out) == (2, 1)
    assert (found.one, found.other, found.difference) == (2.0, 1.25, 0.75)
    assert found.low is None


def test_no_common_case_has_no_difference():
    found = paired_difference({"a": None}, {"a": 1.0})
    assert (found.cases, found.left_out, found.difference, found.p_value) == (0, 1, None, None)


def test_scans_of_one_subject_count_as_one_in_the_test():
    gain = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    one = by_case(np.repeat(gain, 8))
    subjects = {case: f"s{n // 8}" for n, case in enumerate(one)}
    zeros = dict.fromkeys(one, 0.0)
    assert paired_difference(one, zeros, subjects=subjects).p_value == pytest.approx(2 / 32)
    assert paired_difference(one, zeros).p_value < 1e-6


def test_the_interval_is_that_of_the_seed():
    one, other = by_case(np.random.default_rng(0).random(20)), by_case(np.random.default_rng(1).random(20))
    first, again = (paired_difference(one, other, bootstrap=Bootstrap(seed=4)) for _ in range(2))
    assert first == again
    assert paired_difference(one, other, bootstrap=Bootstrap(seed=5)).low != first.low


def test_holm_s_correction_by_hand():
    assert holm([0.01, 0.04, 0.03, None]) == pytest.approx([0.03, 0.06, 0.06, None])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
