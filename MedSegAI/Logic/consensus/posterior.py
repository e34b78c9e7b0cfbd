"""How probable each label is in each voxel, and the label maps that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from MedSegAI.Logic.consensus.vote_patterns import VotePatterns, look_up
from MedSegAI.Logic.geometry import Box

TIE = 1e-9


class Posterior(Protocol):
    """What a consensus needs to know of the probabilities behind it. Classes are counted as in ``VotePatterns``."""

    def most_probable(self) -> np.ndarray:
        """uint8 (k, j, i): the label value of the most probable class; of classes within 1e-9 the first, so that a tie
        goes to background, then to the lower value."""

    def above(self, threshold: float) -> np.ndarray:
        """uint8 (k, j, i): the most probable structure where its probability is above ``threshold``, else 0."""

    def probability(self, of: int) -> np.ndarray:
        """float32 (k, j, i), 0..1: the probability of class ``of``."""

    def entropy(self) -> np.ndarray:
        """float32 (k, j, i): the Shannon entropy of the probabilities in bits."""


@dataclass(frozen=True, eq=False)
class PatternPosterior:
    """Probabilities that depend on the votes alone: a small table and a volume of its rows.

    Args:
        patterns: The votes.
        probabilities: float64 (patterns, classes); each row's sum is 1.
    """

    patterns: VotePatterns
    probabilities: np.ndarray

    def most_probable(self) -> np.ndarray:
        """See :class:`Posterior`."""
        return self.map_of(most_probable_class(self.probabilities))

    def above(self, threshold: float) -> np.ndarray:
        """See :class:`Posterior`; takes milliseconds, for a slider."""
        return self.map_of(class_above(self.probabilities, threshold))

    def probability(self, of: int) -> np.ndarray:
        """See :class:`Posterior`."""
        return look_up(self.probabilities[:, of].astype(np.float32), self.patterns.code)

    def entropy(self) -> np.ndarray:
        """See :class:`Posterior`."""
        return look_up(entropy_bits(self.probabilities).astype(np.float32), self.patterns.code)

    def map_of(self, classes: np.ndarray) -> np.ndarray:
        """uint8 (k, j, i) label values for one class a pattern."""
        return look_up(self.patterns.values[classes], self.patterns.code)


@dataclass(frozen=True, eq=False)
class VoxelPosterior:
    """Probabilities that differ between voxels with the same votes.

    Args:
        probabilities: float32 (classes, k, j, i) inside ``box``; the sum over the classes is 1.
        box: Where they lie in the grid; everything outside is background for certain.
        shape: Shape (k, j, i) of the grid.
        values: uint8 (classes,), the label value of each class; 0 for background.
    """

    probabilities: np.ndarray
    box: Box
    shape: tuple[int, int, int]
    values: np.ndarray

    def most_probable(self) -> np.ndarray:
        """See :class:`Posterior`."""
        return self._by_plane(lambda plane: self.values[most_probable_class(plane)], np.uint8)

    def above(self, threshold: float) -> np.ndarray:
        """See :class:`Posterior`."""
        return self._by_plane(lambda plane: self.values[class_above(plane, threshold)], np.uint8)

    def probability(self, of: int) -> np.ndarray:
        """See :class:`Posterior`."""
        result = np.full(self.shape, float(of == 0), np.float32)
        result[self.box.slices] = self.probabilities[of]
        return result

    def entropy(self) -> np.ndarray:
        """See :class:`Posterior`."""
        return self._by_plane(entropy_bits, np.float32)

    def _by_plane(self, of_plane: object, kind: type) -> np.ndarray:
        result = np.zeros(self.shape, kind)
        inside = result[self.box.slices]
        for k in range(inside.shape[0]):
            inside[k] = of_plane(np.moveaxis(self.probabilities[:, k], 0, -1))
        return result


def most_probable_class(probabilities: np.ndarray) -> np.ndarray:
    """The first class (...) whose probability (..., classes) is within 2e-9 of the highest."""
    return np.argmax(probabilities >= probabilities.max(axis=-1, keepdims=True) - 2 * TIE, axis=-1)


def class_above(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """The most probable class (...) other than background where its probability is above the threshold, else 0.

    A probability within 1e-9 of the threshold is not above it.
    """
    if probabilities.shape[-1] == 1:
        return np.zeros(probabilities.shape[:-1], np.intp)
    best = most_probable_class(probabilities[..., 1:]) + 1
    return np.where(probabilities[..., 1:].max(axis=-1) > threshold + TIE, best, 0)


def entropy_bits(probabilities: np.ndarray) -> np.ndarray:
    """Shannon entropy (...) in bits of probabilities (..., classes)."""
    logs = np.log2(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
    return np.maximum(0.0, -(probabilities * logs).sum(axis=-1))
