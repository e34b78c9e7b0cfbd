"""The temperature and the thresholds that suit a set of reviewed cases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.models.calibration import EVEN_THRESHOLD, Calibration
from MedSegAI.Logic.recalibrate.case_logits import LEAST_LOG_ODDS, CaseLogits
from MedSegAI.Logic.recalibrate.reliability import mean_nll

LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0
THRESHOLDS = tuple(round(0.2 + 0.05 * step, 2) for step in range(13))
_ROUNDS = 2


def fit_temperature(cases: Sequence[CaseLogits]) -> float:
    """The temperature with the least negative log-likelihood (Guo et al. 2017), each case counting the same."""
    from scipy.optimize import minimize_scalar

    bounds = (np.log(LOWEST_TEMPERATURE), np.log(HIGHEST_TEMPERATURE))
    found = minimize_scalar(lambda log: mean_nll(cases, temperature=float(np.exp(log))), bounds=bounds)
    return float(np.exp(found.x))


def fit_thresholds(cases: Sequence[CaseLogits], labels: LabelTable, *, temperature: float) -> dict[str, float]:
    """The threshold of each label, out of 0.2 to 0.8, that gives the greatest mean Dice in model space.

    One label is changed at a time, twice round. Of equals the one nearest to 0.5 is taken. A threshold so low that it
    would reach voxels which were not kept is not tried: what it does to them is not known.
    """
    reached = [t for t in THRESHOLDS if temperature * math.log(t / (1 - t)) >= LEAST_LOG_ODDS]
    thresholds = {label.key: EVEN_THRESHOLD for label in labels}
    for _ in range(_ROUNDS):
        for label in labels:
            tried = {t: thresholds | {label.key: t} for t in reached}
            scores = {
                t: float(np.mean(mean_dice(cases, labels, Calibration(temperature, each)))) for t, each in tried.items()
            }
            thresholds = tried[max(scores, key=lambda t: (round(scores[t], 6), -abs(t - EVEN_THRESHOLD)))]
    return thresholds


def mean_dice(cases: Sequence[CaseLogits], labels: LabelTable, calibration: Calibration) -> np.ndarray:
    """Mean Dice over the labels, in model space, of each case: (cases,); a label absent from both sides is left out."""
    offsets = np.array(calibration.offsets(labels), np.float32)
    return np.array([_dice_of(case, labels, offsets * calibration.temperature) for case in cases])


def rounded_thresholds(thresholds: Mapping[str, float]) -> dict[str, float]:
    """Only those that differ from one half."""
    return {key: value for key, value in thresholds.items() if value != EVEN_THRESHOLD}


def _dice_of(case: CaseLogits, labels: LabelTable, offsets: np.ndarray) -> float:
    chosen = (case.logits + offsets).argmax(axis=1)
    scores = []
    for value in (label.value for label in labels):
        found, true = chosen == value, case.truth == value
        whole = np.count_nonzero(found) + np.count_nonzero(true)
        if whole:
            scores.append(2 * np.count_nonzero(found & true) / whole)
    return float(np.mean(scores)) if scores else 1.0
