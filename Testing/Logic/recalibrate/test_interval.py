"""Intervals over subjects: right for few, blind to how many cases each has, and none for too few."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.recalibrate.interval import Interval, difference_with_interval, mean_with_interval


def test_the_interval_of_ten_cases_holds_the_true_mean_as_often_as_it_says():
    """Skewed like Dice. The middle 95% of plain bootstrap means hold it in fewer than 90% of such trials."""
    random = np.random.default_rng(1)
    true, trials = 1 - 4 / 34, 150
    found = [mean_with_interval(1 - random.beta(4, 30, 10), seed=n) for n in range(trials)]
    assert sum(one.low <= true <= one.high for one in found) / trials > 0.92


def test_two_sides_of_one_person_make_nothing_surer():
    persons = [0.91, 0.85, 0.88, 0.79, 0.9, 0.86]
    names = [f"p{n}" for n in range(6)]
    once = mean_with_interval(persons, subjects=names)
    assert mean_with_interval(persons * 2, subjects=names * 2).to_plain() == once.to_plain()
    taken_for_twelve = mean_with_interval(persons * 2)
    assert taken_for_twelve.high - taken_for_twelve.low < once.high - once.low


def test_a_difference_counts_subjects_on_both_sides():
    new, old = [0.8, 0.82, 0.85, 0.79, 0.81], [0.9, 0.88, 0.91, 0.87, 0.92]
    names = list("abcde")
    once = difference_with_interval(new, old)
    twice = difference_with_interval(new * 2, old * 2, new_subjects=names * 2, old_subjects=names * 2)
    assert twice.to_plain() == once.to_plain()
    assert once.surely_below(0)


@pytest.mark.parametrize("subjects", [list("abcd"), list("aabbccdd")])
def test_fewer_than_five_subjects_have_no_interval_and_nothing_is_sure(subjects):
    found = mean_with_interval([0.1] * len(subjects), subjects=subjects)
    assert found.to_plain() == [pytest.approx(0.1), None, None]
    assert not found.surely_below(0.7)
    assert not found.surely_above(0.0)
    assert str(found) == "+0.1000"
    assert difference_with_interval([0.1] * len(subjects), [0.9] * 9, new_subjects=subjects).high is None


def test_an_interval_is_written_with_its_ends():
    assert str(Interval(-0.02, -0.03, 0.01)) == "-0.0200 (-0.0300 to +0.0100)"
