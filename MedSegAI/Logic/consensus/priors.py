"""What is believed of a voxel before anybody votes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from MedSegAI.Logic.consensus.vote_patterns import VotePatterns
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.labels import LabelTable

_ROUNDING = 1e-6


@dataclass(frozen=True)
class PriorFromVotes:
    """One probability a label for all voxels: the mean, over the counted voxels that anybody looked at, of the part of
    the votes that the label has. It is set once, not estimated again, and it shrinks as the counted box grows."""


@dataclass(frozen=True)
class GivenPrior:
    """One probability a label for all voxels, given by the caller.

    Args:
        fractions: Probability 0..1 of each label of the table, by key; background has the rest.
    """

    fractions: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class SpatialPrior:
    """A probability of each label in each voxel, from an atlas for instance.

    Args:
        probabilities: Floating-point (k, j, i) on the ratings' grid, 0..1, for each label of the table by key;
            background has the rest.
    """

    probabilities: Mapping[str, np.ndarray] = field(repr=False)


Prior = PriorFromVotes | GivenPrior | SpatialPrior


def prior_fractions(prior: PriorFromVotes | GivenPrior, patterns: VotePatterns, table: LabelTable) -> np.ndarray:
    """float64 (classes,): the prior probability of each class; the sum is 1. Background alone where nobody looked.

    Raises:
        LabelError: if a given prior names other labels than the table.
        InputError: if a given prior holds something that is no probability.
    """
    if isinstance(prior, GivenPrior):
        _refuse_other_labels(set(prior.fractions), table)
        labels = np.array([prior.fractions[label.key] for label in table], dtype=np.float64)
        _refuse_no_probability(labels)
        return np.array([max(0.0, 1.0 - labels.sum()), *labels])
    counts = np.where(patterns.looked_at, patterns.counts, 0)
    if counts.sum() == 0:
        return np.eye(patterns.classes)[0]
    return counts @ patterns.fractions() / counts.sum()


def checked_maps(prior: SpatialPrior, table: LabelTable, shape: tuple[int, int, int]) -> tuple[np.ndarray, ...]:
    """The maps (k, j, i) of a spatial prior in the table's order.

    Raises:
        LabelError: if the prior names other labels than the table.
        InputError: if a map has another shape, or holds something that is no probability.
    """
    _refuse_other_labels(set(prior.probabilities), table)
    maps = tuple(prior.probabilities[label.key] for label in table)
    for label, one in zip(table, maps):
        if one.shape != shape:
            raise InputError(
                f"The prior of '{label.key}' has the shape {one.shape}, the ratings have {shape}.",
                advice="Resample the prior to the ratings' grid.",
            )
    for planes in zip(*maps):
        _refuse_no_probability(np.stack(planes))
    return maps


def describe_prior(prior: Prior) -> str:
    """How the prior was got, as a sentence."""
    if isinstance(prior, GivenPrior):
        return "The prior of each label was given."
    if isinstance(prior, SpatialPrior):
        return "The prior of each label was given voxel by voxel; its mean over the counted voxels is stated."
    return "The prior of each label is its mean share of the votes over the counted voxels that anybody looked at."


def prior_to_plain(prior: Prior) -> dict[str, Any]:
    """Which prior was asked for, as JSON values."""
    if isinstance(prior, GivenPrior):
        return {"kind": "given", "fractions": dict(prior.fractions)}
    return {"kind": "spatial" if isinstance(prior, SpatialPrior) else "from votes"}


def _refuse_other_labels(keys: set[str], table: LabelTable) -> None:
    wanted = {label.key for label in table}
    if keys != wanted:
        raise LabelError(
            f"The prior is given for {sorted(keys)}, the ratings have the labels {sorted(wanted)}.",
            advice="Give the prior of each label by its key.",
        )


def _refuse_no_probability(labels: np.ndarray) -> None:
    """Raise :class:`InputError` unless all (labels, ...) lie in 0..1 and no sum over the labels is above 1."""
    sums = labels.sum(axis=0)
    if not (np.all(np.isfinite(labels)) and np.all(labels >= 0) and np.all(sums <= 1 + _ROUNDING)):
        raise InputError(
            "The prior is no probability: each label's must lie in 0..1, and the sum over the labels must not pass 1.",
            advice="Mend the prior, or leave it out to take it from the votes.",
        )
