"""What all raters said of each voxel, counted by vote pattern, so that no measure has to visit every voxel again.

A pattern is what each rater said of one voxel, such as (1, 1, 0). Millions of voxels share a few dozen patterns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.consensus.unify import box_of_votes, cropped
from MedSegAI.Logic.consensus.vote_patterns import NO_VOTE, patterns_of
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box, Grid

NOT_LOOKED = -1
"""In a pattern: the rater did not look at these voxels."""
CONSENSUS = "consensus"
"""The name under which the consensus is shown beside the raters."""


@dataclass(frozen=True, eq=False)
class Votes:
    """The vote patterns of one case inside a box, with a consensus beside the raters where there is one.

    Outside the box nobody says anything but background. Without any vote the box, ``codes`` and ``patterns`` are empty.

    Args:
        raters: Names of the raters, one a column of ``patterns``.
        patterns: int16 (P, raters), or (P, raters + 1) where a consensus was given: it is the last column. Label
            values, 0 for background, :data:`NOT_LOOKED` where a rater did not look.
        codes: uint8, uint16 or uint32 (k, j, i) over ``box``: which row of ``patterns`` each voxel has.
        box: Where ``codes`` lies on ``grid``.
        grid: The grid of the ratings.
    """

    raters: tuple[str, ...]
    patterns: np.ndarray
    codes: np.ndarray
    box: Box
    grid: Grid

    @property
    def has_consensus(self) -> bool:
        """Whether the last column of ``patterns`` is a consensus."""
        return self.patterns.shape[1] > len(self.raters)

    @property
    def of_raters(self) -> np.ndarray:
        """The patterns without the consensus: int16 (P, raters)."""
        return self.patterns[:, : len(self.raters)]

    def box_of(self, label: int | None, *, margin_mm: float) -> Box:
        """The box around all votes for ``label`` (for any label where None) with a margin, as a part of ``codes``.

        Empty where nobody votes for it. It is clipped to the grid.
        """
        voted = self.patterns > 0 if label is None else self.patterns == label
        tight = Box.around(voted.any(axis=1)[self.codes])
        return _grown(tight, margin_mm, self.grid).clip(self.box.shape) if tight else Box.empty()


def collect_votes(ratings: Ratings, *, consensus: np.ndarray | None = None, margin_mm: float = 0.0) -> Votes:
    """The vote patterns of a case inside the box around all votes plus ``margin_mm`` on each side.

    Args:
        ratings: The raters' segmentations.
        consensus: uint8 (k, j, i) on the grid of the ratings.
        margin_mm: Margin in mm around the box, clipped to the grid.

    Raises:
        InputError: if the consensus lies on another grid.
        LabelError: if a label map holds a value that the table lacks.
    """
    if consensus is not None and consensus.shape != ratings.grid.shape:
        raise InputError(
            f"The consensus has the shape {consensus.shape}, the ratings have {ratings.grid.shape}.",
            advice="Fuse these ratings again.",
        )
    everybody = ratings if consensus is None else _with_consensus(ratings, consensus)
    if not any(map(_has_votes, everybody.ratings)):
        nothing = np.zeros((0, 0, 0), np.uint8)
        return Votes(
            ratings.raters, np.zeros((0, len(everybody.ratings)), np.int16), nothing, Box.empty(), ratings.grid
        )
    box = box_of_votes(everybody, margin_mm=margin_mm)
    found = patterns_of(cropped(everybody, box))
    patterns = np.where(found.votes == NO_VOTE, NOT_LOOKED, found.values[found.votes].astype(np.int16))
    return Votes(ratings.raters, patterns.astype(np.int16), found.code, box, ratings.grid)


def _with_consensus(ratings: Ratings, consensus: np.ndarray) -> Ratings:
    """The ratings and the consensus as one more, under a name that no rater has."""
    name = CONSENSUS
    while name in ratings.raters:
        name = f"the {name}"
    return Ratings(ratings.grid, ratings.table, (*ratings.ratings, Rating(name, consensus)))


def _has_votes(rating: Rating) -> bool:
    labels = rating.labels
    return bool(labels.any() if rating.looked_at is None else np.any((labels != 0) & rating.looked_at))


def _grown(box: Box, margin_mm: float, grid: Grid) -> Box:
    steps = [int(np.ceil(margin_mm / size - 1e-9)) for size in grid.spacing_kji]
    return Box(tuple(a - s for a, s in zip(box.start, steps)), tuple(b + s for b, s in zip(box.stop, steps)))
