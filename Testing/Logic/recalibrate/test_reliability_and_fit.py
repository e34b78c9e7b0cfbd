"""Temperature, calibration error and thresholds: known answers, and a sharpening that is found again."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.models.calibration import Calibration
from MedSegAI.Logic.recalibrate.case_logits import CaseLogits
from MedSegAI.Logic.recalibrate.cross_validate import cross_validated_gains
from MedSegAI.Logic.recalibrate.fit import fit_temperature, fit_thresholds, mean_dice, rounded_thresholds
from MedSegAI.Logic.recalibrate.reliability import mean_nll, reliability

LABELS = LabelTable((Label(1, "head", "Head", (1, 0, 0)), Label(2, "tail", "Tail", (0, 1, 0))))


def test_four_voxels_worked_out_by_hand():
    """Two classes: probability 0.8 four times, right three times."""
    logits = np.tile(np.log([[0.2, 0.8]]), (4, 1)).astype(np.float32)
    case = CaseLogits("hand", logits, np.array([1, 1, 1, 0], np.uint8), {})
    found = reliability([case], temperature=1.0)
    assert found.ece == pytest.approx(0.05, abs=1e-6)
    assert found.brier == pytest.approx((3 * 2 * 0.04 + 2 * 0.64) / 4, abs=1e-6)
    assert found.nll == pytest.approx(-(3 * np.log(0.8) + np.log(0.2)) / 4, abs=1e-6)
    assert found.share.sum() == pytest.approx(1)
    assert found.accuracy[12] == 0.75


def test_probabilities_that_mean_what_they_say_have_no_error(logits_at):
    assert reliability(logits_at(3), temperature=1.0).ece < 0.01


@pytest.mark.parametrize("sharpening", [0.4, 1.0, 2.5])
def test_the_fitted_temperature_takes_a_sharpening_back(logits_at, sharpening):
    cases = logits_at(4, sharpened_by=sharpening)
    temperature = fit_temperature(cases)
    assert temperature == pytest.approx(sharpening, rel=0.05)
    assert reliability(cases, temperature=temperature).ece < 0.01
    assert mean_nll(cases, temperature=temperature) <= mean_nll(cases, temperature=1.0)


def test_each_case_counts_the_same_however_large(logits_at):
    small, large = logits_at(2)
    large = CaseLogits("large", np.repeat(large.logits, 5, axis=0), np.repeat(large.truth, 5), {})
    expected = (mean_nll([small], temperature=1.0) + mean_nll([large], temperature=1.0)) / 2
    assert mean_nll([small, large], temperature=1.0) == pytest.approx(expected)


def test_a_threshold_is_found_where_the_network_says_a_label_too_often():
    """Voxels with probability 0.62 of "head" are background; those with 0.75 are head."""
    logits = np.log(np.array([[0.38, 0.62, 1e-6]] * 50 + [[0.25, 0.75, 1e-6]] * 50)).astype(np.float32)
    truth = np.array([0] * 50 + [1] * 50, np.uint8)
    cases = [CaseLogits("one", logits, truth, {})]
    thresholds = fit_thresholds(cases, LABELS, temperature=1.0)
    assert thresholds["head"] == pytest.approx(0.65)
    assert rounded_thresholds(thresholds) == {"head": thresholds["head"]}
    assert mean_dice(cases, LABELS, Calibration()).tolist() == [pytest.approx(100 / 150)]
    assert mean_dice(cases, LABELS, Calibration(1.0, thresholds)).tolist() == [1.0]


def test_gains_are_measured_on_cases_left_out(logits_at):
    gains = cross_validated_gains(logits_at(10, sharpened_by=3.0), LABELS, present=Calibration())
    assert gains.ece.low > 0.05
    assert gains.nll.low > 0
    none = cross_validated_gains(logits_at(10), LABELS, present=Calibration())
    assert abs(none.nll.value) < 1e-3
    assert none.ece.value < 0.005
