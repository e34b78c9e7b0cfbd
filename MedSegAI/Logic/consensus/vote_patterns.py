"""The distinct ways in which raters voted, how often each occurs, and which of them each voxel has.

Five raters of one structure can vote in 32 ways however many million voxels there are, so whatever depends on the votes
alone is computed once a pattern instead of once a voxel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.geometry import Box

NO_VOTE = -1
_BLOCK_VOXELS = 1 << 18
_TWO_BYTES = 1 << 16
_LARGEST_HISTOGRAM = 1 << 24
_LARGEST_TABLE = 1 << 26


@dataclass(frozen=True, eq=False)
class VotePatterns:
    """What was voted where.

    A vote is a class: 0 is background, c is the c-th label of the ratings' table; :data:`NO_VOTE` where a rater did not
    look.

    Args:
        votes: int16 (patterns, raters), the distinct combinations of votes.
        counts: int64 (patterns,), voxels of each pattern inside ``counted``; whole numbers, so right for any size.
        code: (k, j, i) uint8, uint16 or uint32: the row of ``votes`` that each voxel of the whole grid has.
        values: uint8 (classes,), the label value of each class; 0 for background.
        counted: The part of the grid that ``counts`` speaks of, (k, j, i).
    """

    votes: np.ndarray
    counts: np.ndarray
    code: np.ndarray
    values: np.ndarray
    counted: Box

    @property
    def classes(self) -> int:
        """Number of labels and background."""
        return len(self.values)

    @property
    def raters(self) -> int:
        """Number of raters, those without a vote included."""
        return self.votes.shape[1]

    @property
    def looked_at(self) -> np.ndarray:
        """bool (patterns,), whether any rater looked there."""
        return (self.votes != NO_VOTE).any(axis=1)

    @property
    def votes_cast(self) -> np.ndarray:
        """int64 (raters,), the counted voxels that each rater looked at."""
        return self.counts @ (self.votes != NO_VOTE)

    def fractions(self, weights: np.ndarray | None = None) -> np.ndarray:
        """float64 (patterns, classes): the part of the votes that each class has, 1 for background without a vote.

        Args:
            weights: float64 (raters,), how much each vote counts; None counts all alike.
        """
        result = np.zeros((len(self.votes), self.classes))
        rows = np.arange(len(self.votes))
        for rater, weight in enumerate(np.ones(self.raters) if weights is None else weights):
            voted = self.votes[:, rater] != NO_VOTE
            result[rows[voted], self.votes[voted, rater]] += weight
        sums = result.sum(axis=1)
        result[sums == 0, 0] = 1.0
        return result / np.where(sums > 0, sums, 1.0)[:, None]


def patterns_of(ratings: Ratings, *, counted: Box | None = None) -> VotePatterns:
    """Find the vote patterns of a scan in one pass over the label maps for as many raters as fit into a small code.

    Args:
        ratings: The raters' label maps (k, j, i).
        counted: Count only the voxels of this box (k, j, i); None counts all. Voxels outside still get their pattern.

    Raises:
        LabelError: if a label map holds a value that the table does not name.
        InputError: if there are more patterns than a table of their probabilities can reasonably hold.
    """
    values = np.array([0, *(label.value for label in ratings.table)], dtype=np.uint8)
    code, votes = np.zeros(ratings.grid.shape, np.uint8), np.empty((1, 0), np.int16)
    waiting = list(ratings.ratings)
    while waiting:
        group = _group_that_fits(len(votes), waiting, len(values))
        code, votes, counts = _add_votes(code, votes, group, values)
        waiting = waiting[len(group) :]
    if len(votes) * len(values) > _LARGEST_TABLE:
        raise InputError(
            f"The raters vote in {len(votes)} different ways over {len(values) - 1} labels, which is too many to fuse.",
            advice="Fuse one label at a time, or fewer raters.",
        )
    whole = Box.whole(ratings.grid.shape)
    if counted is not None and counted != whole:
        counts = _histogram(np.ascontiguousarray(code[counted.slices]), len(votes))
    return VotePatterns(votes, counts, code, values, counted or whole)


def look_up(table: np.ndarray, code: np.ndarray) -> np.ndarray:
    """``table[code]`` for a table (patterns,) and a code volume (k, j, i), without widening the whole volume's code."""
    result = np.empty(code.shape, table.dtype)
    source, target = code.reshape(-1), result.reshape(-1)
    if table.dtype == np.uint8 and code.dtype == np.uint8 and code.size % 2 == 0:
        # Two voxels at a time: one look-up in a table of all pairs.
        one = np.zeros(256, np.uint8)
        one[: len(table)] = table
        table = np.stack(np.broadcast_arrays(one[None, :], one[:, None]), axis=-1).reshape(-1).view(np.uint16)
        source, target = source.view(np.uint16), target.view(np.uint16)
    for part in _blocks(source.size, _BLOCK_VOXELS):
        np.take(table, source[part], out=target[part], mode="clip")
    return result


def _group_that_fits(patterns: int, waiting: Sequence[Rating], classes: int) -> list[Rating]:
    """The next raters, at least one, whose votes together with the patterns so far make at most 65536 codes."""
    group, space = [waiting[0]], patterns * _base(waiting[0], classes)
    for rating in waiting[1:]:
        space *= _base(rating, classes)
        if space > _TWO_BYTES:
            break
        group.append(rating)
    return group


def _base(rating: Rating, classes: int) -> int:
    return classes + (rating.looked_at is not None)


def _add_votes(
    code: np.ndarray, votes: np.ndarray, group: Sequence[Rating], values: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The code and patterns with a group's votes added, and the voxels of each; only patterns that occur remain."""
    bases = [_base(rating, len(values)) for rating in group]
    space = len(votes) * math.prod(bases)
    code = code.astype(_code_type(space), copy=False)
    for part in _planes(code.shape):
        block, is_first = code[part], len(votes) == 1
        for rating, base in zip(group, bases):
            if not is_first:
                np.multiply(block, base, out=block)
            is_first = False
            np.add(block, _classes_of(rating, part, values), out=block)
    present, counts, code = _renumber(code, space)
    rest, columns = present, []
    for base in reversed(bases):
        rest, vote = np.divmod(rest, base)
        columns.insert(0, np.where(vote < len(values), vote, NO_VOTE).astype(np.int16))
    return code, np.column_stack([votes[rest], *columns]), counts


def _classes_of(rating: Rating, part: slice, values: np.ndarray) -> np.ndarray:
    """The classes that a rater voted for in some planes; the number of classes where the rater did not look.

    uint8, except where 256 classes and a place not looked at need uint16.
    """
    labels = rating.labels[part]
    if rating.looked_at is not None:
        # Where nobody looked, the value does not matter, so it need not have a name either.
        labels = np.where(rating.looked_at[part], labels, np.uint8(0))
    found = labels
    if not np.array_equal(values, np.arange(len(values))):
        classes = np.zeros(256, np.uint8)
        classes[values] = np.arange(len(values))
        found = classes[labels]
        unnamed = bool(np.any((found == 0) & (labels != 0)))
    else:
        unnamed = int(labels.max()) >= len(values)
    if unnamed:
        wrong = sorted(set(np.unique(labels).tolist()) - set(values.tolist()))
        raise LabelError(
            f"The label map of '{rating.rater}' holds values without a name: {wrong}.",
            advice="Add them to the label table, or use the table of the program that made the map.",
        )
    if rating.looked_at is not None:
        kind = np.uint16 if len(values) > 255 else np.uint8
        found = np.where(rating.looked_at[part], found, kind(len(values)))
    return found


def _renumber(code: np.ndarray, space: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The codes that occur (ascending int64), the voxels of each (int64), and the volume of their ranks."""
    if space > _LARGEST_HISTOGRAM:
        present, ranks, counts = np.unique(code, return_inverse=True, return_counts=True)
        return present.astype(np.int64), counts, ranks.reshape(code.shape).astype(_code_type(len(present)))
    counts = _histogram(code, space)
    present = np.flatnonzero(counts)
    if len(present) < space:
        ranks = np.zeros(space, _code_type(len(present)))
        ranks[present] = np.arange(len(present))
        code = look_up(ranks, code)
    return present, counts[present], code


def _histogram(code: np.ndarray, space: int) -> np.ndarray:
    """Voxels of each code 0..space-1 in a contiguous volume: int64 (space,)."""
    flat = code.reshape(-1)
    if code.dtype == np.uint8:
        # Counting pairs of voxels halves the work; which of the two came first does not matter.
        pairs = np.zeros(_TWO_BYTES, np.int64)
        words = flat[: flat.size - flat.size % 2].view(np.uint16)
        for part in _blocks(words.size, _BLOCK_VOXELS):
            pairs += np.bincount(words[part], minlength=_TWO_BYTES)
        square = pairs.reshape(256, 256)
        counts = square.sum(axis=0) + square.sum(axis=1)
        counts += np.bincount(flat[words.size * 2 :], minlength=256)
        return counts[:space]
    counts = np.zeros(space, np.int64)
    for part in _blocks(flat.size, max(_BLOCK_VOXELS, space)):
        counts += np.bincount(flat[part], minlength=space)
    return counts


def _code_type(space: int) -> type:
    """The smallest unsigned type that holds the codes 0..space-1."""
    return next(kind for kind in (np.uint8, np.uint16, np.uint32, np.uint64) if space - 1 <= np.iinfo(kind).max)


def _blocks(size: int, step: int) -> Iterator[slice]:
    return (slice(start, start + step) for start in range(0, size, step))


def _planes(shape: tuple[int, int, int]) -> Iterator[slice]:
    """Slices along k of about a block each, so that what is worked on stays in the processor's cache."""
    return _blocks(shape[0], max(1, _BLOCK_VOXELS // (shape[1] * shape[2])))
