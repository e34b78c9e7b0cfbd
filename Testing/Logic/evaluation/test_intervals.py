"""Intervals of means come from drawing subjects, not scans."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.intervals import FEWEST_SUBJECTS, Bootstrap, Mean, mean_of, subjects_of

MANY = Bootstrap(replicates=4000, seed=1)


def test_the_interval_of_a_mean_is_near_the_one_of_theory():
    values = np.random.default_rng(0).normal(5, 2, 200)
    mean = mean_of(values.tolist(), bootstrap=MANY)
    half = 1.96 * values.std(ddof=1) / np.sqrt(200)
    assert mean.value == pytest.approx(values.mean())
    assert mean.low == pytest.approx(values.mean() - half, abs=0.03)
    assert mean.high == pytest.approx(values.mean() + half, abs=0.03)


def test_ten_copies_of_each_subject_tell_no_more_than_one():
    values = np.random.default_rng(3).normal(size=40)
    once = mean_of(values.tolist(), bootstrap=MANY)
    copies = mean_of(
        np.repeat(values, 10).tolist(), subjects=[f"s{n:02}" for n in range(40) for _ in range(10)], bootstrap=MANY
    )
    blind = mean_of(np.repeat(values, 10).tolist(), bootstrap=MANY)
    assert copies.high - copies.low == pytest.approx(once.high - once.low, rel=0.1)
    assert blind.high - blind.low < 0.5 * (once.high - once.low)


def test_a_subject_with_more_cases_weighs_more_in_the_mean():
    mean = mean_of([1.0, 1.0, 1.0, 5.0], subjects=["a", "a", "a", "b"])
    assert mean == Mean(2.0, cases=4)


def test_the_same_seed_gives_the_same_interval_and_another_level_another():
    values = list(np.random.default_rng(0).random(30))
    assert mean_of(values, bootstrap=MANY) == mean_of(values, bootstrap=MANY)
    assert mean_of(values, bootstrap=Bootstrap(seed=2)) != mean_of(values, bootstrap=Bootstrap(seed=3))
    narrow, wide = (mean_of(values, bootstrap=Bootstrap(level=level)) for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_scores_that_are_not_defined_are_left_out():
    assert mean_of([None, 2.0, None, 4.0]) == Mean(3.0, cases=2)
    assert mean_of([None, None], bootstrap=MANY) == Mean(None)


def test_few_subjects_get_no_interval():
    subjects = [str(n % (FEWEST_SUBJECTS - 1)) for n in range(50)]
    assert mean_of([0.5] * 50, subjects=subjects, bootstrap=MANY).low is None
    assert mean_of([0.5] * FEWEST_SUBJECTS, bootstrap=MANY).low == 0.5
    assert mean_of([0.5] * FEWEST_SUBJECTS, bootstrap=Bootstrap(replicates=0)).low is None


def test_a_rule_finds_the_subject_in_a_case_s_name():
    assert subjects_of(["p1_a", "p1_b", "p2_a"], "^(p[0-9]+)_") == ("p1", "p1", "p2")
    assert subjects_of(["p1_a", "p2_a"], "p[0-9]+") == ("p1", "p2")
    assert subjects_of(["x", "y"], "") == ("x", "y")


def test_a_rule_that_fits_no_name_or_is_none_is_refused():
    with pytest.raises(InputError, match="finds no subject in the case 'x'"):
        subjects_of(["x"], "p[0-9]+")
    with pytest.raises(InputError, match="no regular expression"):
        subjects_of(["x"], "(")


@pytest.mark.parametrize("settings", [{"level": 1.0}, {"level": 0.0}, {"replicates": -1}])
def test_settings_outside_their_range_are_refused(settings):
    with pytest.raises(InputError, match="cannot be drawn"):
        Bootstrap(**settings)
