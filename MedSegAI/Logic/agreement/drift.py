"""Whether a rater's agreement with the consensus changes over time.

The trend is the Theil-Sen slope (the median of the slopes between all pairs of cases, Sen 1968), which one odd case
cannot bend, with Sen's interval. A consensus that the rater took part in agrees with that rater more than it should;
where it can be had, take one without the rater.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

FEWEST_CASES = 5
"""With fewer cases than this, no trend is given."""
_SECONDS_A_DAY = 86400.0


@dataclass(frozen=True)
class ScoredCase:
    """How well a rater agreed with the consensus in one case; ``score`` is None where it is undefined."""

    case: str
    time: datetime
    score: float | None


@dataclass(frozen=True)
class Trend:
    """Change of the score over so many cases or days, with its interval."""

    change: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out "no change"."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Drift:
    """How a rater's agreement changes.

    Args:
        rater: Name of the rater.
        measure: What the scores are, such as "Dice with the consensus".
        cases: The cases with a score, by time.
        per_10_cases: Change over ten cases in the order of time; None with fewer than :data:`FEWEST_CASES`.
        per_30_days: Change over thirty days; None, too, where all cases have the same time.
        sentence: The same in plain words.
    """

    rater: str
    measure: str
    cases: tuple[ScoredCase, ...]
    per_10_cases: Trend | None
    per_30_days: Trend | None
    sentence: str


def rater_drift(
    rater: str, cases: Sequence[ScoredCase], *, measure: str = "Dice with the consensus", level: float = 0.95
) -> Drift:
    """The trend of one rater's scores over cases and over days.

    Args:
        rater: Name of the rater.
        cases: In any order; those of one time keep their order, and those without a score are left out.
        measure: What the scores are; named in the sentence.
        level: Of the intervals.
    """
    scored = tuple(sorted((c for c in cases if c.score is not None), key=lambda c: c.time.timestamp()))
    days = np.array([case.time.timestamp() for case in scored]) / _SECONDS_A_DAY
    scores = np.array([case.score for case in scored], float)
    per_10_cases = _trend(np.arange(len(scored)) / 10, scores, level)
    per_30_days = _trend(days / 30, scores, level)
    sentence = _sentence(rater, measure, scored, per_10_cases, per_30_days, level)
    return Drift(rater, measure, scored, per_10_cases, per_30_days, sentence)


def _trend(at: np.ndarray, scores: np.ndarray, level: float) -> Trend | None:
    from scipy.stats import theilslopes

    if len(at) < FEWEST_CASES or np.ptp(at) == 0:
        return None
    slopes = theilslopes(scores, at, alpha=level)
    return Trend(float(slopes.slope), float(slopes.low_slope), float(slopes.high_slope))


def _sentence(
    rater: str,
    measure: str,
    cases: tuple[ScoredCase, ...],
    per_10_cases: Trend | None,
    per_30_days: Trend | None,
    level: float,
) -> str:
    if per_10_cases is None:
        return (
            f"{rater}'s {measure} is known for {len(cases)} cases; "
            f"a trend takes at least {FEWEST_CASES}, so none is given."
        )
    span = f"Over {len(cases)} cases from {cases[0].time:%Y-%m-%d} to {cases[-1].time:%Y-%m-%d}"
    interval = f"{100 * level:g}% interval {per_10_cases.low:+.3f} to {per_10_cases.high:+.3f}"
    if not per_10_cases.is_clear:
        return (
            f"{span}, {rater}'s {measure} shows no clear trend ({per_10_cases.change:+.3f} per 10 cases, {interval})."
        )
    way = "rose" if per_10_cases.change > 0 else "fell"
    days = "" if per_30_days is None else f"; {per_30_days.change:+.3f} per 30 days"
    return f"{span}, {rater}'s {measure} {way} by {abs(per_10_cases.change):.3f} per 10 cases ({interval}{days})."
