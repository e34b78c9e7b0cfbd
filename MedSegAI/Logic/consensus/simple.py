"""SIMPLE: raters who fit the others badly are left out, and the rest are weighted by how well they fit.

After Langerak et al. 2010, *Label fusion in atlas-based segmentation using a selective and iterative method for
performance level estimation (SIMPLE)*, IEEE Transactions on Medical Imaging 29:2000.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from MedSegAI.Logic.consensus.consensus import Consensus, ConsensusRecord
from MedSegAI.Logic.consensus.majority import joint_counts, performances_against
from MedSegAI.Logic.consensus.posterior import PatternPosterior, class_above
from MedSegAI.Logic.consensus.ratings import Ratings
from MedSegAI.Logic.consensus.vote_patterns import VotePatterns
from MedSegAI.Logic.errors import InputError

TIE_RULE = (
    "A label needs more than half of the weighted votes of the raters who were kept and looked; where no label has "
    "them, the voxel is background."
)
_ROUNDING = 1e-12


@dataclass(frozen=True)
class SimpleSettings:
    """How SIMPLE chooses raters.

    Args:
        deviations: A rater is left out whose Dice with the fused map lies more than this many standard deviations below
            the mean of the raters still kept.
        fewest: No rater is left out once only this many are kept.
        max_iterations: The most rounds of weighing and leaving out.

    Raises:
        InputError: if a setting is out of range.
    """

    deviations: float = 1.0
    fewest: int = 3
    max_iterations: int = 25

    def __post_init__(self) -> None:
        if not (self.deviations >= 0 and self.fewest >= 1 and self.max_iterations >= 1):
            raise InputError(
                f"SIMPLE cannot run with {self.deviations} deviations, {self.fewest} raters and "
                f"{self.max_iterations} iterations.",
                advice="Give deviations of 0 or more, and at least one rater and one iteration.",
            )


def simple(ratings: Ratings, patterns: VotePatterns, *, settings: SimpleSettings | None = None) -> Consensus:
    """The consensus by SIMPLE; a label's probability is its share of the weighted votes.

    It starts with the majority vote of all. In each round every kept rater's weight becomes the mean Dice of the labels
    that the rater or the fused map has (1 where neither has any), over the voxels that the rater looked at; the worst
    are left out; the rest vote again, weighted. It ends when nothing changes. Where all kept raters do equally well,
    nobody is left out. Where nobody who was kept looked, a voxel is background.

    Args:
        ratings: The raters' label maps (k, j, i).
        patterns: Their vote patterns.
        settings: None takes the defaults.
    """
    settings = settings or SimpleSettings()
    weights = (patterns.votes_cast > 0).astype(np.float64)
    winners = class_above(patterns.fractions(weights), 0.5)
    converged, iterations = False, 0
    while not converged and iterations < settings.max_iterations:
        iterations += 1
        before, weights = weights, _weights(winners, patterns, weights, settings)
        winners = class_above(patterns.fractions(weights), 0.5)
        converged = bool(np.abs(weights - before).max() <= _ROUNDING)
    out = [name for name, weight, votes in zip(ratings.raters, weights, patterns.votes_cast) if votes and not weight]
    posterior = PatternPosterior(patterns, patterns.fractions(weights))
    record = ConsensusRecord(
        method="simple",
        raters=ratings.raters,
        performances=performances_against(winners, patterns, ratings.raters, weights=weights),
        settings=asdict(settings),
        prior=None,
        prior_source="",
        tie_rule=TIE_RULE,
        counted=patterns.counted,
        iterations=iterations,
        converged=converged,
        notes=(f"Left out because they fit the others badly: {', '.join(out)}.",) if out else (),
    )
    return Consensus(posterior.map_of(winners), ratings.grid, ratings.table, posterior, record)


def _weights(winners: np.ndarray, patterns: VotePatterns, weights: np.ndarray, settings: SimpleSettings) -> np.ndarray:
    """The kept raters' Dice with the fused map, 0 for those who are or were left out."""
    kept = np.flatnonzero(weights > 0)
    fit = np.array([_mean_dice(joint_counts(winners, patterns, rater)) for rater in kept])
    result = np.zeros_like(weights)
    if kept.size == 0:
        return result
    lowest = fit.mean() - settings.deviations * fit.std() - _ROUNDING
    worst_first = kept[np.argsort(fit, kind="stable")]
    may_go = set(worst_first[: max(0, kept.size - settings.fewest)].tolist())
    for rater, dice in zip(kept.tolist(), fit):
        if dice >= lowest or rater not in may_go:
            # A rater who shares no voxel with the map still votes: with a weight that others outvote.
            result[rater] = max(float(dice), _ROUNDING)
    return result


def _mean_dice(joint: np.ndarray) -> float:
    """The mean Dice over the labels (not background) that either side has; 1 where neither has one."""
    sizes = joint.sum(axis=0) + joint.sum(axis=1)
    labels = np.flatnonzero(sizes[1:]) + 1
    if labels.size == 0:
        return 1.0
    return float(np.mean(2.0 * joint[labels, labels] / sizes[labels]))
