"""Means and differences of means with intervals over subjects, which hold for few subjects, too.

Subjects are drawn with replacement, each with all of its cases. The middle 95% of the means drawn would be too narrow
for few subjects, so one subject fewer is drawn than there are, and the tails that are cut off are those of the normal
distribution beyond Student's 97.5% quantile (the "expanded percentile" interval, Hesterberg 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.evaluation.intervals import per_subject

REPLICATES = 10_000
LEVEL = 0.95
FEWEST_SUBJECTS = 5
"""With fewer subjects than this, there is no interval."""


@dataclass(frozen=True)
class Interval:
    """A figure and its 95% interval; without one (None) nothing is sure."""

    value: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:+.4f}"
        return f"{self.value:+.4f} ({self.low:+.4f} to {self.high:+.4f})"

    def surely_below(self, border: float) -> bool:
        """Whether the whole interval lies below a border."""
        return self.high is not None and self.high < border

    def surely_above(self, border: float) -> bool:
        """Whether the whole interval lies above a border."""
        return self.low is not None and self.low > border

    def to_plain(self) -> list[float | None]:
        """Value, low and high."""
        return [None if number is None else round(number, 5) for number in (self.value, self.low, self.high)]


@dataclass(frozen=True)
class _Drawn:
    """Means (REPLICATES,) of a sample drawn again and again, and how many subjects it has."""

    means: np.ndarray
    subjects: int


def mean_with_interval(values: Sequence[float], *, subjects: Sequence[str] | None = None, seed: int = 0) -> Interval:
    """The mean over cases.

    Args:
        values: One a case.
        subjects: The subject of each case; None makes each case its own subject.
        seed: The same seed gives the same interval.
    """
    return _interval(float(np.mean(values)), _drawn(values, subjects, seed))


def difference_with_interval(
    new: Sequence[float],
    old: Sequence[float],
    *,
    new_subjects: Sequence[str] | None = None,
    old_subjects: Sequence[str] | None = None,
    seed: int = 0,
) -> Interval:
    """Mean of the new cases minus mean of the old ones, which are cases of other subjects."""
    value = float(np.mean(new) - np.mean(old))
    return _interval(value, _drawn(new, new_subjects, seed), _drawn(old, old_subjects, seed + 1))


def _drawn(values: Sequence[float], subjects: Sequence[str] | None, seed: int) -> _Drawn:
    names = [f"{number:06}" for number in range(len(values))] if subjects is None else subjects
    sums, counts = per_subject(np.asarray(values, float), names)
    if len(counts) < FEWEST_SUBJECTS:
        return _Drawn(np.empty(0), len(counts))
    random = np.random.default_rng(seed)
    times = random.multinomial(len(counts) - 1, np.full(len(counts), 1 / len(counts)), size=REPLICATES)
    return _Drawn((times @ sums) / (times @ counts), len(counts))


def _interval(value: float, first: _Drawn, second: _Drawn | None = None) -> Interval:
    samples = [first] if second is None else [first, second]
    if any(sample.subjects < FEWEST_SUBJECTS for sample in samples):
        return Interval(value, None, None)
    drawn = first.means if second is None else first.means - second.means
    tail = _tail(samples)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def _tail(samples: Sequence[_Drawn]) -> float:
    """What is cut off at each end, for the degrees of freedom of Welch and Satterthwaite."""
    from scipy.stats import norm, t

    variances = np.array([sample.means.var() for sample in samples])
    freedom = np.array([sample.subjects - 1 for sample in samples])
    whole = float(variances.sum())
    # Without any spread every quantile is the value itself.
    together = whole**2 / float((variances**2 / freedom).sum()) if whole > 0 else float(freedom.min())
    return float(norm.cdf(-t.ppf((1 + LEVEL) / 2, together)))
