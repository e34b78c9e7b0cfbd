"""The rule: each verdict from the figures that call for it, and the weightier one first."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.recalibrate.accuracy_drift import LabelDrift
from MedSegAI.Logic.recalibrate.cross_validate import Gains
from MedSegAI.Logic.recalibrate.decide import Rules, Verdict, decide
from MedSegAI.Logic.recalibrate.interval import Interval, difference_with_interval, mean_with_interval

NOTHING = Interval(0.0, -0.01, 0.01)
CLEAR = Interval(0.05, 0.03, 0.07)
NO_GAINS = Gains(nll=NOTHING, ece=NOTHING, dice=NOTHING)


def drift(now: float, change: Interval | None) -> LabelDrift:
    then = None if change is None else now - change.value
    return LabelDrift("head", Interval(now, now - 0.02, now + 0.02), then, change, None, 12)


STEADY = drift(0.88, Interval(-0.005, -0.02, 0.01))


@pytest.mark.parametrize(
    ("drifts", "gains", "verdict"),
    [
        ([STEADY], NO_GAINS, Verdict.KEEP),
        ([STEADY], Gains(nll=CLEAR, ece=CLEAR, dice=NOTHING), Verdict.RECALIBRATE),
        ([STEADY], Gains(nll=NOTHING, ece=CLEAR, dice=NOTHING), Verdict.KEEP),
        ([STEADY], Gains(nll=NOTHING, ece=NOTHING, dice=CLEAR), Verdict.RECALIBRATE),
        ([drift(0.82, Interval(-0.06, -0.09, -0.03))], NO_GAINS, Verdict.FINE_TUNE),
        ([drift(0.85, Interval(-0.03, -0.07, 0.01))], NO_GAINS, Verdict.KEEP),
        ([drift(0.87, Interval(-0.01, -0.015, -0.005))], NO_GAINS, Verdict.KEEP),
        ([drift(0.60, Interval(-0.2, -0.3, -0.1)), STEADY], NO_GAINS, Verdict.STOP),
        ([drift(0.69, None)], NO_GAINS, Verdict.KEEP),
    ],
)
def test_the_verdict(drifts, gains, verdict):
    decision = decide(drifts, gains, Rules())
    assert decision.verdict is verdict
    assert all(reason.endswith(".") for reason in decision.reasons)


def test_a_fall_and_a_gain_are_both_told():
    fallen = drift(0.8, Interval(-0.08, -0.1, -0.06))
    decision = decide([fallen], Gains(nll=CLEAR, ece=CLEAR, dice=NOTHING), Rules())
    assert decision.verdict is Verdict.FINE_TUNE
    assert decision.adopt_temperature
    assert decision.reasons[0].startswith("head: mean Dice fell from 0.880 to 0.800, by 0.080")


def test_a_model_that_must_not_be_used_gets_no_new_version():
    decision = decide([drift(0.5, None)], Gains(nll=CLEAR, ece=CLEAR, dice=CLEAR), Rules())
    assert decision.verdict is Verdict.STOP
    assert not decision.adopt_temperature
    assert not decision.adopt_thresholds


def test_a_label_of_a_few_cases_decides_nothing():
    """Without an interval nothing is sure, however bad it looks."""
    rare = LabelDrift("rare", Interval(0.3, None, None), 0.9, Interval(-0.6, None, None), None, 1)
    assert decide([rare, STEADY], NO_GAINS, Rules()).verdict is Verdict.KEEP


def test_a_card_without_scores_cannot_tell_a_fall():
    (first, *_) = decide([drift(0.9, None)], NO_GAINS, Rules()).reasons
    assert "cannot be judged" in first


@pytest.mark.parametrize("wrong", [{"fewest_cases": 4}, {"floor": 1.2}, {"fall": -0.1}])
def test_rules_out_of_range_are_refused_with_a_sentence(wrong):
    with pytest.raises(InputError):
        Rules(**wrong)


def test_intervals_hold_the_mean_and_shrink_with_cases():
    few, many = (mean_with_interval([0.8, 0.9] * n) for n in (5, 500))
    assert few.value == pytest.approx(0.85)
    assert few.low < few.value < few.high
    assert many.high - many.low < (few.high - few.low) / 5
    change = difference_with_interval([0.7] * 10, [0.9] * 10)
    assert change.to_plain() == [pytest.approx(-0.2)] * 3
