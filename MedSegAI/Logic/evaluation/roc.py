"""Receiver operating characteristic, and the area under it with DeLong's interval and test.

DeLong, DeLong and Clarke-Pearson 1988, *Comparing the areas under two or more correlated receiver operating
characteristic curves*, Biometrics 44; computed from ranks as in Sun and Xu 2014, *Fast implementation of DeLong's
algorithm*, IEEE Signal Processing Letters 21, which takes n log n steps and not m n. Equal scores of a positive and a
negative case count one half. The method takes cases for independent: voxels of a scan, and scans of a person, are not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.scored import Scored


@dataclass(frozen=True, eq=False)
class RocCurve:
    """A curve from (0, 0) to (1, 1), one corner for each different score.

    Args:
        false_positive_rate: float64 (n,), ascending: 1 - specificity.
        true_positive_rate: float64 (n,), ascending: sensitivity.
        thresholds: float64 (n,), descending; cases with a score at least this are taken for positive. The first is
            infinite: none is.
    """

    false_positive_rate: np.ndarray
    true_positive_rate: np.ndarray
    thresholds: np.ndarray


@dataclass(frozen=True)
class Auc:
    """The area under a ROC curve.

    Args:
        value: 0..1; the chance that a positive case scores higher than a negative one.
        variance: DeLong's variance; None with a single case of one class.
        low: Lower end of the interval, made on the logit scale so that it stays within 0..1; None where the variance
            is, and where the curve is perfect (area 0 or 1), of which the method cannot say how sure it is.
        high: Upper end.
        positives: Number of positive cases.
        negatives: Number of negative cases.
    """

    value: float
    variance: float | None
    low: float | None
    high: float | None
    positives: int
    negatives: int


@dataclass(frozen=True)
class AucDifference:
    """The areas of two scores of the same cases compared by DeLong's test for correlated curves.

    Args:
        difference: First minus second.
        low: Lower end of its interval; None where there is no variance, as for the two that follow.
        high: Upper end.
        z: Difference over its standard error.
        p_value: Two-sided; 1 where both curves are the same.
    """

    difference: float
    low: float | None
    high: float | None
    z: float | None
    p_value: float | None


def roc_curve(cases: Scored) -> RocCurve:
    """The empirical curve; cases with one score move together."""
    order = np.argsort(-cases.scores, kind="stable")
    truth, scores = cases.truth[order], cases.scores[order]
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    true_positives = np.cumsum(truth)[last]
    false_positives = last + 1 - true_positives
    return RocCurve(
        false_positive_rate=np.append(0.0, false_positives / cases.negatives),
        true_positive_rate=np.append(0.0, true_positives / cases.positives),
        thresholds=np.append(np.inf, scores[last]),
    )


def area_under_roc(cases: Scored, *, level: float = 0.95) -> Auc:
    """The area with DeLong's variance and a logit interval.

    Args:
        cases: Truth and scores.
        level: The interval's level, between 0 and 1.
    """
    value, positive_parts, negative_parts = _components(cases)
    variance = _covariance([positive_parts], [negative_parts])[0, 0]
    if not np.isfinite(variance):
        return Auc(value, None, None, None, cases.positives, cases.negatives)
    low, high = _logit_interval(value, variance, level)
    return Auc(value, float(variance), low, high, cases.positives, cases.negatives)


def compare_areas(one: Scored, other: Scored, *, level: float = 0.95) -> AucDifference:
    """DeLong's test of two scores of the same cases.

    Args:
        one: Truth and first score.
        other: The same truth and second score, case by case.
        level: The interval's level, between 0 and 1.

    Raises:
        InputError: if the truth is not the same.
    """
    if not np.array_equal(one.truth, other.truth):
        raise InputError(
            "The two scores are not of the same cases: their truth differs.", advice="Bring them into one order."
        )
    parts = [_components(cases) for cases in (one, other)]
    difference = parts[0][0] - parts[1][0]
    covariance = _covariance([positive for _, positive, _ in parts], [negative for _, _, negative in parts])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    if not math.isfinite(variance):
        return AucDifference(difference, None, None, None, None)
    error = math.sqrt(max(variance, 0.0))
    if error < 1e-12:
        # Without any variance there is nothing to test; equal curves are equal for certain.
        same = abs(difference) < 1e-12
        return AucDifference(difference, difference, difference, 0.0 if same else None, 1.0 if same else None)
    reach = _normal_quantile(level) * error
    z = difference / error
    return AucDifference(difference, difference - reach, difference + reach, z, math.erfc(abs(z) / math.sqrt(2)))


def _components(cases: Scored) -> tuple[float, np.ndarray, np.ndarray]:
    """The area, and DeLong's structural components of the positive (m,) and of the negative cases (n,)."""
    from scipy.stats import rankdata

    positive, negative = cases.scores[cases.truth], cases.scores[~cases.truth]
    among_all = rankdata(np.concatenate([positive, negative]))
    of_positive = (among_all[: len(positive)] - rankdata(positive)) / len(negative)
    of_negative = 1 - (among_all[len(positive) :] - rankdata(negative)) / len(positive)
    return float(of_positive.mean()), of_positive, of_negative


def _covariance(of_positives: list[np.ndarray], of_negatives: list[np.ndarray]) -> np.ndarray:
    """DeLong's covariance matrix of the areas; not finite with a single case of one class."""
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = [_covariance_of_mean(np.stack(parts)) for parts in (of_positives, of_negatives)]
    return parts[0] + parts[1]


def _covariance_of_mean(values: np.ndarray) -> np.ndarray:
    """Covariance (s, s) of the means of values (s, n)."""
    count = values.shape[1]
    if count < 2:
        return np.full((len(values),) * 2, np.nan)
    apart = values - values.mean(axis=1, keepdims=True)
    return apart @ apart.T / (count - 1) / count


def _logit_interval(value: float, variance: float, level: float) -> tuple[float | None, float | None]:
    if not 0 < value < 1:
        return None, None
    middle = math.log(value / (1 - value))
    reach = _normal_quantile(level) * math.sqrt(variance) / (value * (1 - value))
    return tuple(1 / (1 + math.exp(-(middle + step))) for step in (-reach, reach))


def _normal_quantile(level: float) -> float:
    """How many standard deviations hold the middle ``level`` of a normal distribution on each side."""
    from statistics import NormalDist

    return NormalDist().inv_cdf((1 + level) / 2)
