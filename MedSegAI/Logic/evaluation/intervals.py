"""Means with bootstrap intervals, over subjects: two scans of one person are not two people.

Subjects are drawn with replacement, each with all of its cases; the interval is the middle part of the means drawn
(percentile bootstrap). It says how far the mean depends on which subjects were looked at, and nothing about other
hospitals or scanners.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError

FEWEST_SUBJECTS = 8
"""With fewer subjects than this, no interval is given."""


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are drawn.

    Args:
        replicates: How often; 0 for no intervals.
        level: The part of the drawn means that an interval holds, between 0 and 1.
        seed: The same seed gives the same intervals.

    Raises:
        InputError: for a value outside its range.
    """

    replicates: int = 2000
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.replicates < 0 or not 0 < self.level < 1:
            raise InputError(
                f"Intervals of level {self.level} from {self.replicates} replicates cannot be drawn.",
                advice="Choose a level between 0 and 1, and 0 or more replicates.",
            )

    def to_plain(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)

    def middle(self, drawn: np.ndarray) -> tuple[float, float]:
        """The ends of the middle ``level`` of drawn values (n,)."""
        low, high = np.quantile(drawn, [(1 - self.level) / 2, (1 + self.level) / 2])
        return float(low), float(high)


@dataclass(frozen=True)
class Mean:
    """A mean over the cases where a score is defined; None where it is for none.

    Args:
        value: The mean over cases.
        low: Lower end of its interval; None with fewer than :data:`FEWEST_SUBJECTS` subjects.
        high: Upper end.
        cases: Number of cases with a value.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    cases: int = 0


def mean_of(
    values: Sequence[float | None], *, subjects: Sequence[str] | None = None, bootstrap: Bootstrap | None = None
) -> Mean:
    """The mean of the values that are defined, with its interval.

    Args:
        values: One a case; None where it is not defined.
        subjects: The subject of each case; None makes each case its own subject.
        bootstrap: None gives no interval.
    """
    subjects = list(map(str, range(len(values)))) if subjects is None else subjects
    defined = [(value, subject) for value, subject in zip(values, subjects) if value is not None]
    if not defined:
        return Mean(None)
    numbers = np.array([value for value, _ in defined], float)
    mean = float(numbers.mean())
    sums, counts = per_subject(numbers, [subject for _, subject in defined])
    if bootstrap is None or not bootstrap.replicates or len(counts) < FEWEST_SUBJECTS:
        return Mean(mean, cases=len(numbers))
    drawn = times_drawn(len(counts), bootstrap)
    return Mean(mean, *bootstrap.middle((drawn @ sums) / (drawn @ counts)), cases=len(numbers))


def per_subject(values: np.ndarray, subjects: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The sum of the values (n,) of each subject, and how many it has; subjects in the order of their names."""
    _, place = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    return np.bincount(place, weights=values), np.bincount(place).astype(float)


def times_drawn(subjects: int, bootstrap: Bootstrap) -> np.ndarray:
    """How often each subject is drawn in each replicate: float64 (replicates, subjects)."""
    random = np.random.default_rng(bootstrap.seed)
    return random.multinomial(subjects, np.full(subjects, 1 / subjects), size=bootstrap.replicates).astype(float)


def subjects_of(cases: Sequence[str], rule: str) -> tuple[str, ...]:
    """The subject of each case, from its name.

    Args:
        cases: Names of the cases.
        rule: Regular expression that finds the subject in a case's name, its first group where it has one; an empty
            text makes each case its own subject.

    Raises:
        InputError: if the rule is no regular expression, or finds nothing in a name.
    """
    if not rule:
        return tuple(cases)
    try:
        pattern = re.compile(rule)
    except re.error as error:
        raise InputError(
            f"The rule '{rule}' is no regular expression: {error}.", advice="An example is '^(patient-[0-9]+)'."
        ) from error
    return tuple(_subject(case, pattern) for case in cases)


def _subject(case: str, pattern: re.Pattern[str]) -> str:
    match = pattern.search(case)
    if match is None:
        raise InputError(
            f"The rule '{pattern.pattern}' finds no subject in the case '{case}'.",
            advice="Give a rule that fits every case's name.",
        )
    return (match[1] if pattern.groups else match[0]) or ""
