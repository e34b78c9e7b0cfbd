"""What all raters said of each voxel, counted by vote pattern, so that no measure has to visit every voxel again.

A pattern is what each rater said of one voxel, such as (1, 1, 0). Millions of voxels share a few dozen patterns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.consensus.ratings import Ratings
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.label_counts import refuse_unnamed

NOT_LOOKED = -1
"""In a pattern: the rater did not look at these voxels."""
CONSENSUS = "consensus"
"""The name under which the consensus is shown beside the raters."""


@dataclass(frozen=True, eq=False)
class Votes:
    """The vote patterns of one case inside a box; nobody says anything but background outside it.

    Args:
        raters: Names of the raters, one a column of ``patterns``.
        patterns: int16 (P, raters), or (P, raters + 1) where a consensus was given: it is the last column. Label
            values, 0 for background, :data:`NOT_LOOKED` where a rater did not look.
        codes: int32 (k, j, i) over ``box``: which row of ``patterns`` each voxel has.
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
    columns = list(_columns(ratings, consensus))
    for labels, _ in columns:
        refuse_unnamed(labels, ratings.table)
    boxes = [Box.around(labels if looked is None else (labels != 0) & looked) for labels, looked in columns]
    tight = None
    for box in filter(None, boxes):
        tight = box if tight is None else tight.union(box)
    box = _grown(tight, margin_mm, ratings.grid).clip(ratings.grid.shape) if tight else Box.empty()
    patterns, codes = _encode([(a[box.slices], None if b is None else b[box.slices]) for a, b in columns], ratings)
    return Votes(ratings.raters, patterns, codes, box, ratings.grid)


def _columns(ratings: Ratings, consensus: np.ndarray | None) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    for rating in ratings.ratings:
        yield rating.labels, rating.looked_at
    if consensus is not None:
        yield consensus, None


def _encode(columns: list[tuple[np.ndarray, np.ndarray | None]], ratings: Ratings) -> tuple[np.ndarray, np.ndarray]:
    """Patterns (P, columns) and codes (k, j, i), renumbered after each column so that codes stay small."""
    values = np.array([NOT_LOOKED, 0, *(label.value for label in ratings.table)], np.int16)
    digit_of = np.zeros(256, np.int32)
    digit_of[values[1:]] = np.arange(1, len(values))
    codes = np.zeros(columns[0][0].shape, np.int32)
    patterns = np.zeros((1, 0), np.int16)
    for labels, looked in columns:
        digits = digit_of[labels]
        if looked is not None:
            digits[~looked] = 0
        codes *= len(values)
        codes += digits
        found = np.flatnonzero(np.bincount(codes.ravel(), minlength=len(patterns) * len(values)))
        renumbered = np.zeros(len(patterns) * len(values), np.int32)
        renumbered[found] = np.arange(len(found))
        codes = renumbered[codes]
        patterns = np.hstack([patterns[found // len(values)], values[found % len(values), None]])
    return patterns, codes


def _grown(box: Box, margin_mm: float, grid: Grid) -> Box:
    steps = [int(np.ceil(margin_mm / size - 1e-9)) for size in grid.spacing_kji]
    return Box(tuple(a - s for a, s in zip(box.start, steps)), tuple(b + s for b, s in zip(box.stop, steps)))
