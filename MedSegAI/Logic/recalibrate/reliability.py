"""Whether probabilities mean what they say: reliability diagram, expected calibration error, Brier score, NLL.

All figures are over the voxels that ``case_logits`` keeps, near the structures: over a whole scan nearly all voxels are
background beyond doubt, and any network looks calibrated. Each case counts the same, however many voxels it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.recalibrate.case_logits import CaseLogits

BINS = 15


@dataclass(frozen=True, eq=False)
class Reliability:
    """How far probabilities and rates of being right are apart.

    Args:
        ece: Expected calibration error of the class that won (Guo et al. 2017): the mean over 15 bins of equal width of
            \\|rate of being right - mean probability\\|, weighted by what lies in the bin.
        brier: Mean over voxels of the squared distance between probabilities and truth, summed over classes.
        nll: Mean negative log probability of the true class.
        confidence: Mean probability in each bin, NaN where it is empty.
        accuracy: Rate of being right in each bin, NaN where it is empty.
        share: Share of the voxels in each bin.
    """

    ece: float
    brier: float
    nll: float
    confidence: np.ndarray
    accuracy: np.ndarray
    share: np.ndarray

    def to_plain(self) -> dict[str, float]:
        """The three figures."""
        return {"ece": round(self.ece, 5), "brier": round(self.brier, 5), "nll": round(self.nll, 5)}


def log_probabilities(logits: np.ndarray, *, temperature: float) -> np.ndarray:
    """Log softmax (n, classes) float64 of logits (n, classes) divided by the temperature."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    return scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))


def mean_nll(cases: Sequence[CaseLogits], *, temperature: float) -> float:
    """Mean over the cases of the mean negative log probability of the true class."""
    return float(np.mean([_nll_of(case, temperature) for case in cases]))


def reliability(cases: Sequence[CaseLogits], *, temperature: float) -> Reliability:
    """The reliability of the probabilities at a temperature."""
    weights = np.zeros(BINS)
    sure, right = np.zeros(BINS), np.zeros(BINS)
    brier = []
    for case in cases:
        probabilities = np.exp(log_probabilities(case.logits, temperature=temperature))
        winner = probabilities.argmax(axis=1)
        largest = probabilities[np.arange(len(winner)), winner]
        bins = np.minimum((largest * BINS).astype(int), BINS - 1)
        weight = 1 / len(winner)
        weights += np.bincount(bins, minlength=BINS) * weight
        sure += np.bincount(bins, weights=largest, minlength=BINS) * weight
        right += np.bincount(bins, weights=winner == case.truth, minlength=BINS) * weight
        wanted = probabilities[np.arange(len(winner)), case.truth]
        brier.append(float(np.mean((probabilities**2).sum(axis=1) - 2 * wanted + 1)))
    filled = weights > 0
    confidence, accuracy = (np.divide(a, weights, out=np.full(BINS, np.nan), where=filled) for a in (sure, right))
    ece = float(np.abs(right - sure).sum() / weights.sum())
    return Reliability(
        ece,
        float(np.mean(brier)),
        mean_nll(cases, temperature=temperature),
        confidence,
        accuracy,
        weights / weights.sum(),
    )


def _nll_of(case: CaseLogits, temperature: float) -> float:
    logs = log_probabilities(case.logits, temperature=temperature)
    return float(-logs[np.arange(len(logs)), case.truth].mean())
