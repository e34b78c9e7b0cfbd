"""A rising piecewise linear map of grey values, and its inverse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class ValueMap:
    """Straight lines between knots, and on beyond the first and last knot.

    Args:
        old: (knots,) float64, strictly rising.
        new: (knots,) float64, strictly rising.
        slope: Beyond the first and the last knot, above 0.
    """

    old: np.ndarray
    new: np.ndarray
    slope: float

    @classmethod
    def through(cls, old: np.ndarray, new: np.ndarray) -> ValueMap:
        """The map through pairs of values; those that do not rise by anything are left out, so it can be inverted.

        Beyond the knots it goes on with the slope of the line from the first knot to the last.

        Raises:
            ValueError: if fewer than two knots are left.
        """
        old, new = np.asarray(old, np.float64), np.asarray(new, np.float64)
        kept = [0]
        least = 1e-9 * np.array([np.ptp(old), np.ptp(new)])
        for at in range(1, old.size):
            if old[at] - old[kept[-1]] > least[0] and new[at] - new[kept[-1]] > least[1]:
                kept.append(at)
        if len(kept) < 2:
            raise ValueError("fewer than two different values are left")
        slope = float((new[kept[-1]] - new[0]) / (old[kept[-1]] - old[0]))
        return cls(old[kept], new[kept], slope)

    @property
    def inverse(self) -> ValueMap:
        """The map back."""
        return ValueMap(self.new, self.old, 1 / self.slope)

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """The mapped values as float32, of the same shape; computed one plane at a time."""
        result = np.empty(array.shape, np.float32)
        for at in range(array.shape[0]):
            plane = array[at]
            mapped = np.interp(plane, self.old, self.new)
            mapped += self.slope * (plane - np.clip(plane, self.old[0], self.old[-1]))
            result[at] = mapped
        return result
