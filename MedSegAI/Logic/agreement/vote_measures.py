"""Measures of agreement that follow from counts of vote patterns: overlap, rates, kappa and alpha.

Every measure here is a function of a few sums over voxels. A :class:`Measure` holds what one voxel of each pattern adds
to those sums, and how the sums become the figure. So a bootstrap only adds up sums again, and never sees a voxel.

Patterns are (P, raters) whole numbers; a negative number means that the rater did not look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Measure:
    """A measure of agreement over vote patterns.

    Args:
        features: float64 (P, F): what one voxel of each pattern adds to the F sums.
        finish: From sums (..., F) to the measure (...); not a number where it is undefined.
    """

    features: np.ndarray
    finish: Callable[[np.ndarray], np.ndarray]

    def of(self, counts: np.ndarray) -> float | None:
        """The measure where pattern p occurs ``counts[p]`` times; None where it is undefined."""
        value = float(self.finish(np.asarray(counts) @ self.features))
        return None if np.isnan(value) else value


def cohens_kappa(patterns: np.ndarray, first: int, second: int) -> Measure:
    """Cohen's kappa of two columns over the voxels that both looked at (Cohen 1960).

    Undefined where no voxel was seen by both, and where both say one and the same thing everywhere: agreement by chance
    is then complete, and nothing is left to correct.
    """
    one, other = patterns[:, first], patterns[:, second]
    both = (one >= 0) & (other >= 0)
    values = np.unique(np.concatenate([one[both], other[both]]))
    said = [(column[:, None] == values) & both[:, None] for column in (one, other)]
    features = np.column_stack([both, both & (one == other), *said]).astype(float)

    def finish(sums: np.ndarray) -> np.ndarray:
        seen, agreed = sums[..., 0], sums[..., 1]
        one_said, other_said = np.split(sums[..., 2:], 2, axis=-1)
        by_chance = (one_said * other_said).sum(-1)
        return _ratio(agreed * seen - by_chance, seen * seen - by_chance)

    return Measure(features, finish)


def fleiss_kappa(patterns: np.ndarray) -> Measure:
    """Fleiss' kappa over the voxels that all raters looked at (Fleiss 1971).

    Undefined with one rater, without such voxels, and where all say one and the same thing everywhere.
    """
    raters = patterns.shape[1]
    complete = (patterns >= 0).all(axis=1)
    said = _times_said(patterns) * complete[:, None]
    agreeing = (said * (said - 1)).sum(1) / max(raters * (raters - 1), 1)
    features = np.column_stack([complete, agreeing, said]).astype(float)

    def finish(sums: np.ndarray) -> np.ndarray:
        voxels, agreed, totals = sums[..., 0], sums[..., 1], sums[..., 2:]
        observed = _ratio(agreed, voxels)
        by_chance = _ratio((totals**2).sum(-1), (voxels * raters) ** 2)
        kappa = _ratio(observed - by_chance, 1 - by_chance)
        return np.where((raters > 1) & _said_different_things(totals), kappa, np.nan)

    return Measure(features, finish)


def krippendorffs_alpha(patterns: np.ndarray) -> Measure:
    """Krippendorff's alpha for nominal data; a voxel counts where at least two raters looked (Krippendorff 2011).

    Undefined where there is no such voxel, and where all say one and the same thing everywhere.
    """
    said = _times_said(patterns)
    raters = said.sum(1)
    said = said * (raters > 1)[:, None]
    coincidences = (said * (said - 1)).sum(1) / np.maximum(raters - 1, 1)
    features = np.column_stack([coincidences, said]).astype(float)

    def finish(sums: np.ndarray) -> np.ndarray:
        agreed, totals = sums[..., 0], sums[..., 1:]
        all_votes = totals.sum(-1)
        disagreement = _ratio(all_votes - agreed, all_votes)
        by_chance = _ratio(all_votes**2 - (totals**2).sum(-1), all_votes * (all_votes - 1))
        return np.where(_said_different_things(totals), 1 - _ratio(disagreement, by_chance), np.nan)

    return Measure(features, finish)


def overlap(patterns: np.ndarray, first: int, second: int, *, label: int) -> Measure:
    """Dice of two columns for one label over the voxels that both looked at; 1 where neither has it there."""
    one, other = patterns[:, first], patterns[:, second]
    both = (one >= 0) & (other >= 0)
    has_it = [(column == label) & both for column in (one, other)]
    features = np.column_stack([has_it[0] & has_it[1], *has_it]).astype(float)

    def finish(sums: np.ndarray) -> np.ndarray:
        wholes = sums[..., 1] + sums[..., 2]
        return np.where(wholes > 0, _ratio(2 * sums[..., 0], wholes), 1.0)

    return Measure(features, finish)


def share_of(among: np.ndarray, found: np.ndarray) -> Measure:
    """The share of the voxels of the patterns ``among`` (bool (P,)) that also have one of the patterns ``found``.

    Sensitivity takes the voxels where the reference has the label, specificity those where it has not.
    """
    features = np.column_stack([among, among & found]).astype(float)
    return Measure(features, lambda sums: _ratio(sums[..., 1], sums[..., 0]))


def _times_said(patterns: np.ndarray) -> np.ndarray:
    """How many raters said each value that occurs: int (P, values)."""
    values = np.unique(patterns[patterns >= 0])
    return (patterns[:, :, None] == values).sum(1) if patterns.size else np.zeros((len(patterns), 0), int)


def _said_different_things(totals: np.ndarray) -> np.ndarray:
    return (totals > 0).sum(-1) > 1


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole != 0)
