"""The two steps of STAPLE: what is probably there, given how well each rater votes, and the other way round.

The performance of rater r is ``performance[r, v, t]``, the probability of the vote v given the truth t (float64).
Products of probabilities are sums of logarithms, so that any number of raters neither under- nor overflows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from MedSegAI.Logic.consensus.posterior import PatternPosterior, Posterior
from MedSegAI.Logic.consensus.vote_patterns import NO_VOTE, VotePatterns

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_SMALLEST = np.finfo(np.float64).tiny
_RARE = 1e-5
_DENSE_NUMBERS = 1 << 16


class Expectation(Protocol):
    """What the estimation asks of the E-step."""

    def expected_votes(self, performance: np.ndarray) -> np.ndarray:
        """float64 (raters, classes, classes): the expected voxels with vote v (second axis) and truth t (third)."""

    def posterior(self, performance: np.ndarray) -> Posterior:
        """The probabilities of each voxel under this performance."""


class EvidenceOfVotes:
    """How strongly each pattern of votes speaks for each class; the one place where raters and patterns meet."""

    def __init__(self, patterns: VotePatterns) -> None:
        self.shape = (patterns.raters, patterns.classes, patterns.classes)
        self._votes = _one_hot(patterns)

    def logarithms(self, performance: np.ndarray) -> np.ndarray:
        """float64 (patterns, classes): the sum over the raters who voted of log P(vote | truth)."""
        raters, classes, _ = self.shape
        logs = np.log(np.maximum(performance, _SMALLEST)).reshape(raters * classes, classes)
        return self._votes @ logs

    def by_vote(self, voxels: np.ndarray) -> np.ndarray:
        """(raters, vote, truth) expected voxels from the (patterns, truth) expected voxels of each pattern."""
        return (self._votes.T @ voxels).reshape(self.shape)


class PatternExpectation:
    """The E-step where all voxels share one prior: once a pattern.

    Args:
        patterns: The votes.
        prior: float64 (classes,), the sum is 1.
    """

    def __init__(self, patterns: VotePatterns, prior: np.ndarray) -> None:
        self._patterns = patterns
        self._evidence = EvidenceOfVotes(patterns)
        with np.errstate(divide="ignore"):
            self._log_prior = np.log(prior)
        self._looked_at = patterns.looked_at
        self._counts = np.where(self._looked_at, patterns.counts, 0)[:, None].astype(np.float64)

    def expected_votes(self, performance: np.ndarray) -> np.ndarray:
        """See :class:`Expectation`."""
        return self._evidence.by_vote(self._probabilities(performance) * self._counts)

    def posterior(self, performance: np.ndarray) -> PatternPosterior:
        """See :class:`Expectation`."""
        return PatternPosterior(self._patterns, self._probabilities(performance))

    def _probabilities(self, performance: np.ndarray) -> np.ndarray:
        probabilities = normalised(self._evidence.logarithms(performance) + self._log_prior)
        probabilities[~self._looked_at] = np.eye(self._patterns.classes)[0]
        return probabilities


def performance_against_votes(patterns: VotePatterns) -> np.ndarray:
    """float64 (raters, vote, truth): each rater's performance if the share of votes for a class were its probability.

    Of a class that nobody voted for, raters are taken to miss next to nothing.
    """
    counts = np.where(patterns.looked_at, patterns.counts, 0)[:, None]
    expected = EvidenceOfVotes(patterns).by_vote(patterns.fractions() * counts)
    classes = patterns.classes
    unknown = np.full((classes, classes), _RARE / max(1, classes - 1))
    np.fill_diagonal(unknown, 1.0 - _RARE)
    return improved_performance(expected, np.repeat(unknown[None], patterns.raters, axis=0))


def improved_performance(expected: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The M-step: (raters, vote, truth) from expected voxels; of a class that is nowhere, what was believed stays."""
    truths = expected.sum(axis=1, keepdims=True)
    return np.divide(expected, truths, out=before.copy(), where=truths > 0)


def normalised(logarithms: np.ndarray) -> np.ndarray:
    """Probabilities (..., classes) from logarithms known up to a constant; the array is overwritten."""
    logarithms -= logarithms.max(axis=-1, keepdims=True)
    np.exp(logarithms, out=logarithms)
    logarithms /= logarithms.sum(axis=-1, keepdims=True)
    return logarithms


def _one_hot(patterns: VotePatterns) -> np.ndarray | csr_array:
    """(patterns, raters * classes): 1 where a rater voted for a class; sparse where a full array would be large."""
    rows, raters = np.nonzero(patterns.votes != NO_VOTE)
    columns = raters * patterns.classes + patterns.votes[rows, raters]
    shape = (len(patterns.votes), patterns.raters * patterns.classes)
    if shape[0] * shape[1] > _DENSE_NUMBERS:
        from scipy.sparse import csr_array

        return csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    result = np.zeros(shape)
    result[rows, columns] = 1.0
    return result
