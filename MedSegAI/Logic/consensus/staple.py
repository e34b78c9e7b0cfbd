"""STAPLE: the true segmentation and the raters' performance, each estimated from the other until neither changes.

Warfield, Zou, Wells 2004, *Simultaneous truth and performance level estimation*, IEEE Transactions on Medical Imaging
23:903. With one label the performance is sensitivity and specificity; with several it is a confusion matrix (the same
paper's section on multi-category labels). Written for vote patterns instead of voxels, in float64.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from MedSegAI.Logic.consensus.consensus import Consensus, ConsensusRecord, RaterPerformance
from MedSegAI.Logic.consensus.expectation import (
    Expectation,
    PatternExpectation,
    improved_performance,
    performance_against_votes,
)
from MedSegAI.Logic.consensus.posterior import PatternPosterior
from MedSegAI.Logic.consensus.priors import (
    Prior,
    PriorFromVotes,
    SpatialPrior,
    checked_maps,
    describe_prior,
    prior_fractions,
    prior_to_plain,
)
from MedSegAI.Logic.consensus.ratings import Ratings
from MedSegAI.Logic.consensus.vote_patterns import NO_VOTE, VotePatterns
from MedSegAI.Logic.consensus.voxel_expectation import VoxelExpectation
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled

TIE_RULE = (
    "The most probable label wins; where probabilities are equal to 2e-9, background wins, then the lower label value."
)
NOT_COMPARABLE = (
    "No voxel was looked at by two raters, so nothing can be said of their performance: each vote was taken as it is."
)


@dataclass(frozen=True)
class StapleSettings:
    """How STAPLE is run.

    Args:
        prior: What is believed before anybody votes; see ``priors``.
        smoothing: Log-probability that a label gains for each of the six neighbours that has it; 0 for none. 0.5 to 1
            removes single voxels. Takes a pass over all counted voxels in each iteration, and since the raters are then
            measured against a smoothed map, small structures' sensitivities come out a few hundredths too high.
        max_iterations: The most iterations; the result says whether they sufficed.
        tolerance: The estimation ends when no probability of the raters' performance changes by more than this.

    Raises:
        InputError: if a setting is out of range.
    """

    prior: Prior = field(default_factory=PriorFromVotes)
    smoothing: float = 0.0
    max_iterations: int = 1000
    tolerance: float = 1e-9

    def __post_init__(self) -> None:
        if not 0.0 <= self.smoothing <= 10.0:
            raise InputError(f"The smoothing {self.smoothing} is unusable.", advice="Choose it from 0 to 10.")
        if self.max_iterations < 1 or not self.tolerance > 0:
            raise InputError(
                f"STAPLE cannot run with {self.max_iterations} iterations and a tolerance of {self.tolerance}.",
                advice="Allow at least one iteration and a tolerance above 0.",
            )

    def to_plain(self) -> dict[str, Any]:
        """The settings as JSON values; maps of a spatial prior are left out."""
        return {
            "prior": prior_to_plain(self.prior),
            "smoothing": self.smoothing,
            "max_iterations": self.max_iterations,
            "tolerance": self.tolerance,
        }


def staple(
    ratings: Ratings,
    patterns: VotePatterns,
    *,
    settings: StapleSettings | None = None,
    reporter: Reporter | None = None,
) -> Consensus:
    """The consensus of several raters by STAPLE.

    The estimation starts from the performance that each rater has against the shares of the votes. It finds the most
    likely performance near that start; votes that contradict each other much may have several such places.

    Cases that determine nothing have answers, too. Where all raters agree, the consensus is their map. Where no voxel
    was looked at by two raters (one rater alone, say), it is each rater's vote, and the performance is None. Where a
    label has no voxel in the consensus, its sensitivity is None; where it has all, its specificity is None.

    Args:
        ratings: The raters' label maps (k, j, i).
        patterns: Their vote patterns; the counted box is what prior and performance are estimated from.
        settings: None takes the defaults.
        reporter: Told of each iteration, and asked whether to stop.

    Raises:
        LabelError, InputError: if the prior does not fit the ratings.
        Cancelled: if the reporter says so.
    """
    settings = settings or StapleSettings()
    expectation, prior = _expectation(ratings, patterns, settings)
    if not _comparable(patterns):
        return _votes_as_they_are(ratings, patterns, settings, prior)
    found = _estimate(expectation, patterns, settings, reporter or SilentReporter())
    posterior = expectation.posterior(found.performance)
    performances = [
        RaterPerformance(name, votes, expected if votes else None, patterns.values)
        for name, votes, expected in zip(ratings.raters, patterns.votes_cast.tolist(), found.truth_and_vote)
    ]
    notes = () if found.converged else (_not_converged(settings),)
    record = _record(ratings, patterns, settings, prior, performances, found.iterations, found.converged, notes)
    return Consensus(posterior.most_probable(), ratings.grid, ratings.table, posterior, record)


@dataclass(frozen=True, eq=False)
class _Estimate:
    """Performance (raters, vote, truth) and the expected voxels (raters, vote, truth) it was taken from."""

    performance: np.ndarray
    expected: np.ndarray
    iterations: int
    converged: bool

    @property
    def truth_and_vote(self) -> np.ndarray:
        """The expected voxels as (raters, truth, vote)."""
        return self.expected.transpose(0, 2, 1)


def _estimate(
    expectation: Expectation, patterns: VotePatterns, settings: StapleSettings, reporter: Reporter
) -> _Estimate:
    performance = performance_against_votes(patterns)
    for iteration in range(1, settings.max_iterations + 1):
        raise_if_cancelled(reporter)
        expected = expectation.expected_votes(performance)
        improved = improved_performance(expected, performance)
        change = float(np.abs(improved - performance).max())
        performance = improved
        reporter.progress(iteration, settings.max_iterations, "fusing")
        if change <= settings.tolerance:
            return _Estimate(performance, expected, iteration, True)
    return _Estimate(performance, expected, settings.max_iterations, False)


def _expectation(
    ratings: Ratings, patterns: VotePatterns, settings: StapleSettings
) -> tuple[Expectation, dict[str, float]]:
    """The E-step that the settings ask for, and the prior of each label by key."""
    keys = ["background", *(label.key for label in ratings.table)]
    if isinstance(settings.prior, SpatialPrior):
        maps = checked_maps(settings.prior, ratings.table, ratings.grid.shape)
        inside = patterns.counted.slices
        means = [float(one[inside].mean(dtype=np.float64)) for one in maps]
        fractions = dict(zip(keys, [1.0 - sum(means), *means]))
        return VoxelExpectation(patterns, maps, smoothing=settings.smoothing), fractions
    prior = prior_fractions(settings.prior, patterns, ratings.table)
    fractions = dict(zip(keys, prior.tolist()))
    if settings.smoothing:
        return VoxelExpectation(patterns, prior, smoothing=settings.smoothing), fractions
    return PatternExpectation(patterns, prior), fractions


def _comparable(patterns: VotePatterns) -> bool:
    """Whether any counted voxel was looked at by two raters."""
    votes = (patterns.votes != NO_VOTE).sum(axis=1)
    return bool(patterns.counts[votes >= 2].sum() > 0)


def _votes_as_they_are(
    ratings: Ratings, patterns: VotePatterns, settings: StapleSettings, prior: dict[str, float]
) -> Consensus:
    posterior = PatternPosterior(patterns, patterns.fractions())
    performances = [
        RaterPerformance(name, votes, None, patterns.values)
        for name, votes in zip(ratings.raters, patterns.votes_cast.tolist())
    ]
    record = _record(ratings, patterns, settings, prior, performances, 0, True, (NOT_COMPARABLE,))
    return Consensus(posterior.most_probable(), ratings.grid, ratings.table, posterior, record)


def _record(
    ratings: Ratings,
    patterns: VotePatterns,
    settings: StapleSettings,
    prior: dict[str, float],
    performances: list[RaterPerformance],
    iterations: int,
    converged: bool,
    notes: tuple[str, ...],
) -> ConsensusRecord:
    return ConsensusRecord(
        method="staple",
        raters=ratings.raters,
        performances=tuple(performances),
        settings=settings.to_plain(),
        prior=prior,
        prior_source=describe_prior(settings.prior),
        tie_rule=TIE_RULE,
        counted=patterns.counted,
        iterations=iterations,
        converged=converged,
        notes=notes,
    )


def _not_converged(settings: StapleSettings) -> str:
    return (
        f"The estimation was stopped after {settings.max_iterations} iterations while the raters' performance still "
        f"changed by more than {settings.tolerance:g}: the votes do not determine it well."
    )
