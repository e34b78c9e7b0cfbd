"""One entry to all ways of making one segmentation of several raters' segmentations."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from MedSegAI.Logic.consensus.consensus import Consensus
from MedSegAI.Logic.consensus.majority import majority_vote
from MedSegAI.Logic.consensus.ratings import Ratings
from MedSegAI.Logic.consensus.simple import SimpleSettings, simple
from MedSegAI.Logic.consensus.staple import StapleSettings, staple
from MedSegAI.Logic.consensus.unify import box_of_votes
from MedSegAI.Logic.consensus.vote_patterns import patterns_of
from MedSegAI.Logic.reporter import Reporter


class Method(str, Enum):
    """How several segmentations become one."""

    STAPLE = "staple"
    MAJORITY = "majority"
    SIMPLE = "simple"


@dataclass(frozen=True)
class FuseSettings:
    """What is counted, and the settings of the methods that have some.

    Args:
        margin_mm: Count only the box around all votes plus this margin in mm, clipped to the grid; None counts the
            whole grid. STAPLE's prior and every specificity depend on it: the more background is counted, the smaller
            the prior of the labels becomes. Labels are made for the whole grid in either case.
        staple: Settings of STAPLE.
        simple: Settings of SIMPLE.
    """

    margin_mm: float | None = None
    staple: StapleSettings = field(default_factory=StapleSettings)
    simple: SimpleSettings = field(default_factory=SimpleSettings)


def fuse(
    ratings: Ratings,
    *,
    method: Method = Method.STAPLE,
    settings: FuseSettings | None = None,
    reporter: Reporter | None = None,
) -> Consensus:
    """The consensus of several raters.

    Args:
        ratings: The raters' label maps (k, j, i) on one grid, under one table.
        method: See :class:`Method`.
        settings: None takes the defaults.
        reporter: Told of progress, and asked whether to stop.

    Returns:
        Labels and probabilities (k, j, i) on the ratings' grid. Voxels that nobody looked at are background.

    Raises:
        LabelError: if a label map holds a value without a name, or a prior names other labels.
        InputError: if a setting does not fit the ratings.
        Cancelled: if the reporter says so.
    """
    settings = settings or FuseSettings()
    counted = None if settings.margin_mm is None else box_of_votes(ratings, margin_mm=settings.margin_mm)
    patterns = patterns_of(ratings, counted=counted)
    if method is Method.MAJORITY:
        return majority_vote(ratings, patterns)
    if method is Method.SIMPLE:
        return simple(ratings, patterns, settings=settings.simple)
    return staple(ratings, patterns, settings=settings.staple, reporter=reporter)
