"""Majority vote: a label needs more than half of the votes of those who looked."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.consensus.consensus import Consensus, ConsensusRecord, RaterPerformance
from MedSegAI.Logic.consensus.posterior import PatternPosterior, class_above
from MedSegAI.Logic.consensus.ratings import Ratings
from MedSegAI.Logic.consensus.vote_patterns import NO_VOTE, VotePatterns

TIE_RULE = (
    "A label needs more than half of the votes of those who looked; where no label has them, a tie for instance, "
    "the voxel is background."
)


def majority_vote(ratings: Ratings, patterns: VotePatterns) -> Consensus:
    """The consensus by strict majority; a label's probability is its share of the votes.

    A rater's performance is measured against the fused map. With one rater the consensus is that rater's map.

    Args:
        ratings: The raters' label maps (k, j, i).
        patterns: Their vote patterns.
    """
    posterior = PatternPosterior(patterns, patterns.fractions())
    winners = class_above(posterior.probabilities, 0.5)
    record = ConsensusRecord(
        method="majority",
        raters=ratings.raters,
        performances=performances_against(winners, patterns, ratings.raters),
        settings={},
        prior=None,
        prior_source="",
        tie_rule=TIE_RULE,
        counted=patterns.counted,
    )
    return Consensus(posterior.map_of(winners), ratings.grid, ratings.table, posterior, record)


def performances_against(
    winners: np.ndarray, patterns: VotePatterns, names: tuple[str, ...], *, weights: np.ndarray | None = None
) -> tuple[RaterPerformance, ...]:
    """How each rater voted where a fused map has each class; None for a rater without a vote.

    Args:
        winners: int (patterns,), the class of the fused map for each pattern.
        patterns: The votes.
        names: The raters' names.
        weights: float64 (raters,), the weight of each vote in the fused map; None for 1 each.
    """
    weights = np.ones(patterns.raters) if weights is None else weights
    return tuple(
        RaterPerformance(
            name,
            votes,
            joint_counts(winners, patterns, rater).astype(np.float64) if votes else None,
            patterns.values,
            float(weights[rater]),
        )
        for rater, (name, votes) in enumerate(zip(names, patterns.votes_cast.tolist()))
    )


def joint_counts(winners: np.ndarray, patterns: VotePatterns, rater: int) -> np.ndarray:
    """int64 (classes, classes): counted voxels by class of the fused map (row) and vote of one rater (column)."""
    voted = patterns.votes[:, rater] != NO_VOTE
    result = np.zeros((patterns.classes, patterns.classes), np.int64)
    np.add.at(result, (winners[voted], patterns.votes[voted, rater]), patterns.counts[voted])
    return result
