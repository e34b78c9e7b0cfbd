"""Means and differences of means with bootstrap intervals over cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

REPLICATES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A figure and its 95% percentile bootstrap interval over cases."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.4f} ({self.low:+.4f} to {self.high:+.4f})"

    def to_plain(self) -> list[float]:
        """Value, low and high."""
        return [round(self.value, 5), round(self.low, 5), round(self.high, 5)]


def mean_with_interval(values: Sequence[float], *, seed: int = 0) -> Interval:
    """The mean over cases."""
    return _interval(float(np.mean(values)), _drawn_means(values, seed))


def difference_with_interval(new: Sequence[float], old: Sequence[float], *, seed: int = 0) -> Interval:
    """Mean of the new cases minus mean of the old ones, which are other cases."""
    value = float(np.mean(new) - np.mean(old))
    return _interval(value, _drawn_means(new, seed) - _drawn_means(old, seed + 1))


def _drawn_means(values: Sequence[float], seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).integers(len(values), size=(REPLICATES, len(values)))
    return np.asarray(values, float)[drawn].mean(axis=1)


def _interval(value: float, drawn: np.ndarray) -> Interval:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))
