"""Intervals for measures of agreement, by drawing parts of a scan, or whole cases of a study, again and again.

Neighbouring voxels are anything but independent: drawing single voxels would give intervals many times too narrow. So
one scan is cut into blocks that are drawn as a whole. Such an interval says how far the figure depends on which parts
of this scan one looks at. It says nothing about other patients or other raters; over a study, cases are drawn instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from MedSegAI.Logic.agreement.vote_measures import Measure
from MedSegAI.Logic.agreement.votes import NOT_LOOKED, Votes
from MedSegAI.Logic.geometry import Box

FEWEST_UNITS = 8
"""With fewer blocks or cases than this, no interval is given."""
_BLOCKS_ALONG_LONGEST_SIDE = 8
_SHARE_DEFINED = 0.9
_MOST_TABLE_CELLS = 50_000_000


@dataclass(frozen=True)
class Estimate:
    """A figure with its bootstrap interval; None where it is undefined, or where there is too little to draw from."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Resampling:
    """How intervals are drawn.

    Args:
        replicates: How often; 0 for no intervals.
        level: How much of the replicates an interval holds, in the middle (percentile bootstrap).
        seed: The same seed gives the same intervals.
        block_mm: Edge of the blocks of one scan; None takes an eighth of the longest side of the region.
    """

    replicates: int = 1000
    level: float = 0.95
    seed: int = 0
    block_mm: float | None = None


@dataclass(frozen=True, eq=False)
class UnitCounts:
    """How often each vote pattern occurs in each unit that can be drawn: a block of a scan, or a case of a study.

    Args:
        patterns: int (P, raters), see :class:`Votes`.
        counts: scipy sparse (units, P).
        resampling: How intervals are drawn.
    """

    patterns: np.ndarray
    counts: object
    resampling: Resampling

    @cached_property
    def total(self) -> np.ndarray:
        """How often each pattern occurs in all units together: (P,)."""
        return np.asarray(self.counts.sum(axis=0)).ravel()

    @cached_property
    def _times_drawn(self) -> np.ndarray:
        units = self.counts.shape[0]
        random = np.random.default_rng(self.resampling.seed)
        return random.multinomial(units, np.full(units, 1 / units), size=self.resampling.replicates).astype(float)

    def about(self, label: int) -> UnitCounts:
        """The same counts for one label alone: 1 where a rater says it, 0 where another, below 0 if not looked at."""
        from scipy.sparse import csr_matrix

        said = np.where(self.patterns < 0, NOT_LOOKED, self.patterns == label)
        merged, place = np.unique(said, axis=0, return_inverse=True)
        rows = np.arange(len(said))
        into = csr_matrix((np.ones(len(said), np.int64), (rows, place.ravel())), shape=(len(said), len(merged)))
        return UnitCounts(merged, self.counts @ into, self.resampling)

    def estimate(self, measure: Measure) -> Estimate:
        """The measure over all units, and its interval.

        The interval is None with fewer than :data:`FEWEST_UNITS` units, and where more than a tenth of the replicates
        leave the measure undefined.
        """
        value = measure.of(self.total)
        if value is None or self.counts.shape[0] < FEWEST_UNITS or not self.resampling.replicates:
            return Estimate(value)
        drawn = measure.finish(self._times_drawn @ (self.counts @ measure.features))
        return Estimate(value, *interval_of(drawn, level=self.resampling.level))


def interval_of(drawn: np.ndarray, *, level: float) -> tuple[float | None, float | None]:
    """The middle ``level`` of the replicates that are defined; None twice where more than a tenth is not."""
    defined = drawn[np.isfinite(drawn)]
    if len(defined) < _SHARE_DEFINED * len(drawn) or not len(defined):
        return None, None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def count_in_blocks(votes: Votes, box: Box, resampling: Resampling) -> UnitCounts:
    """The vote patterns inside ``box`` (a part of ``votes.codes``), counted block by block."""
    from scipy.sparse import csr_matrix

    codes = votes.codes[box.slices]
    patterns = len(votes.patterns)
    if codes.size == 0:
        return UnitCounts(votes.patterns, csr_matrix((0, patterns)), resampling)
    steps = _block_steps(codes.shape, votes.grid.spacing_kji, resampling.block_mm)
    block = np.zeros((1, 1, 1), np.int64)
    for axis, (size, step) in enumerate(zip(codes.shape, steps)):
        along = np.expand_dims(np.arange(size) // step, [a for a in range(3) if a != axis])
        block = block * (int(along.max()) + 1) + along
    blocks = int(block.max()) + 1
    cells = block * patterns + codes
    if blocks * patterns <= _MOST_TABLE_CELLS:
        table = np.bincount(cells.ravel(), minlength=blocks * patterns).reshape(blocks, patterns)
        return UnitCounts(votes.patterns, csr_matrix(table), resampling)
    found, times = np.unique(cells, return_counts=True)
    place = (found // patterns, found % patterns)
    return UnitCounts(votes.patterns, csr_matrix((times, place), shape=(blocks, patterns)), resampling)


def _block_steps(
    shape: tuple[int, ...], spacing_kji: tuple[float, float, float], block_mm: float | None
) -> tuple[int, ...]:
    """Voxels along each side (k, j, i) of a block."""
    if block_mm is None:
        block_mm = max(n * size for n, size in zip(shape, spacing_kji)) / _BLOCKS_ALONG_LONGEST_SIDE
    return tuple(max(1, round(block_mm / size)) for size in spacing_kji)
