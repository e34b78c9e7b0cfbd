"""The trend of a rater's agreement over cases and over time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from MedSegAI.Logic.agreement.drift import ScoredCase, rater_drift

START = datetime(2024, 1, 1, tzinfo=timezone.utc)


def cases(scores, *, days_apart: float = 2.0) -> list[ScoredCase]:
    return [ScoredCase(f"case {n}", START + timedelta(days=days_apart * n), s) for n, s in enumerate(scores)]


def test_a_steady_fall_is_found_per_ten_cases_and_per_thirty_days():
    """0.004 a case, one case every two days: 0.04 per 10 cases, 0.06 per 30 days."""
    drift = rater_drift("Ann", cases(0.95 - 0.004 * np.arange(20)))
    assert drift.per_10_cases.change == pytest.approx(-0.04)
    assert drift.per_30_days.change == pytest.approx(-0.06)
    assert drift.sentence == (
        "Over 20 cases from 2024-01-01 to 2024-02-08, Ann's Dice with the consensus fell by 0.040 per 10 cases "
        "(95% interval -0.040 to -0.040; -0.060 per 30 days)."
    )


def test_one_odd_case_does_not_bend_the_trend():
    scores = 0.8 + 0.002 * np.arange(15)
    scores[-1] = 0.0
    assert rater_drift("Ann", cases(scores)).per_10_cases.change == pytest.approx(0.02)
    assert "rose by 0.020" in rater_drift("Ann", cases(scores)).sentence


def test_noise_is_no_trend():
    scores = 0.9 + 0.03 * np.random.default_rng(4).normal(size=30)
    drift = rater_drift("Ben", cases(scores))
    assert drift.per_10_cases.low < 0 < drift.per_10_cases.high
    assert "no clear trend" in drift.sentence


def test_cases_come_in_any_order_and_without_a_score_they_are_left_out():
    ordered = cases([0.9, 0.89, None, 0.88, 0.87, 0.86, 0.85])
    drift = rater_drift("Ann", list(reversed(ordered)))
    assert [case.case for case in drift.cases] == [f"case {n}" for n in (0, 1, 3, 4, 5, 6)]
    assert drift.per_10_cases.change == pytest.approx(-0.1)


def test_too_few_cases_give_a_sentence_and_no_trend():
    drift = rater_drift("Ann", cases([0.9, None, 0.8, 0.7, 0.6]))
    assert drift.per_10_cases is None
    assert drift.per_30_days is None
    assert "known for 4 cases" in drift.sentence


def test_cases_of_one_moment_have_a_trend_over_cases_only():
    drift = rater_drift("Ann", cases(np.linspace(0.9, 0.8, 8), days_apart=0))
    assert drift.per_30_days is None
    assert drift.per_10_cases.change < 0
    assert "30 days" not in drift.sentence
