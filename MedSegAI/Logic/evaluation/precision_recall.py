"""Precision against recall, and the average precision with a bootstrap interval.

The average precision is the sum over the curve's corners of precision times the gain in recall; nothing is interpolated
between corners, which would be too hopeful (Davis and Goadrich 2006, ICML). By chance alone it is the share of positive
cases, so figures of two data sets with other shares cannot be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.evaluation.intervals import FEWEST_SUBJECTS, Bootstrap, times_drawn
from MedSegAI.Logic.evaluation.scored import Scored


@dataclass(frozen=True, eq=False)
class PrecisionRecallCurve:
    """One corner for each different score, from the highest down.

    Args:
        recall: float64 (n,), ascending: sensitivity.
        precision: float64 (n,): positive predictive value.
        thresholds: float64 (n,), descending; cases with a score at least this are taken for positive.
    """

    recall: np.ndarray
    precision: np.ndarray
    thresholds: np.ndarray


@dataclass(frozen=True)
class AveragePrecision:
    """The average precision, 0..1, and its interval; None with few subjects.

    Args:
        value: See the module's text.
        by_chance: The share of positive cases.
        low: Lower end of the interval.
        high: Upper end.
    """

    value: float
    by_chance: float
    low: float | None = None
    high: float | None = None


def precision_recall_curve(cases: Scored) -> PrecisionRecallCurve:
    """The empirical curve; cases with one score move together."""
    sorted_cases = _Sorted.of(cases)
    true_positives, taken = sorted_cases.counts(np.ones(len(cases.truth)))
    return PrecisionRecallCurve(
        recall=true_positives / cases.positives,
        precision=true_positives / taken,
        thresholds=sorted_cases.thresholds,
    )


def average_precision(
    cases: Scored, *, subjects: Sequence[str] | None = None, bootstrap: Bootstrap | None = None
) -> AveragePrecision:
    """The average precision; its interval is drawn over subjects.

    Draws without a positive case are left out.

    Args:
        cases: Truth and scores.
        subjects: The subject of each case; None makes each case its own subject.
        bootstrap: None gives no interval.
    """
    sorted_cases = _Sorted.of(cases)
    value = sorted_cases.average_precision(np.ones(len(cases.truth)))
    by_chance = cases.positives / len(cases.truth)
    names = np.arange(len(cases.truth)) if subjects is None else np.asarray(subjects, dtype=str)
    _, place = np.unique(names, return_inverse=True)
    count = int(place.max()) + 1
    if bootstrap is None or not bootstrap.replicates or count < FEWEST_SUBJECTS:
        return AveragePrecision(value, by_chance)
    drawn = [sorted_cases.average_precision(times[place]) for times in times_drawn(count, bootstrap)]
    defined = np.array([entry for entry in drawn if entry is not None])
    return AveragePrecision(value, by_chance, *bootstrap.middle(defined))


@dataclass(frozen=True, eq=False)
class _Sorted:
    """Cases from the highest score down; ``last`` is where each score's cases end."""

    order: np.ndarray
    truth: np.ndarray
    last: np.ndarray
    thresholds: np.ndarray

    @classmethod
    def of(cls, cases: Scored) -> _Sorted:
        order = np.argsort(-cases.scores, kind="stable")
        scores = cases.scores[order]
        last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
        return cls(order, cases.truth[order], last, scores[last])

    def counts(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """True positives, and all that were taken for positive, at each threshold; each case counts ``times``."""
        times = times[self.order]
        return np.cumsum(times * self.truth)[self.last], np.cumsum(times)[self.last]

    def average_precision(self, times: np.ndarray) -> float | None:
        """None where no positive case counts."""
        true_positives, taken = self.counts(times)
        if not true_positives[-1]:
            return None
        precision = np.divide(true_positives, taken, out=np.zeros_like(taken), where=taken > 0)
        return float(np.diff(true_positives, prepend=0.0) @ precision / true_positives[-1])
