"""Raters whose answers are known: small maps written by hand, and simulated raters of known performance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable


def a_table(*values):
    return LabelTable(tuple(Label(v, f"label_{v}", f"Label {v}", (1.0, 0.0, 0.0)) for v in values))


def ratings_from(maps, *, values=None, looked_at=None, spacing=(1.0, 1.0, 1.0)):
    """Ratings of raters "A", "B", ... from arrays (k, j, i); one-dimensional lists become one row of voxels."""
    maps = [np.atleast_3d(np.asarray(one, np.uint8)) if np.ndim(one) < 3 else np.asarray(one) for one in maps]
    looked_at = looked_at or [None] * len(maps)
    seen = [None if one is None else np.asarray(one, bool).reshape(maps[0].shape) for one in looked_at]
    values = values or sorted(set(np.unique(np.concatenate([one.ravel() for one in maps])).tolist()) - {0})
    ratings = tuple(Rating(chr(65 + n), one, looked) for n, (one, looked) in enumerate(zip(maps, seen)))
    return Ratings(Grid(maps[0].shape, spacing), a_table(*values), ratings)


@dataclass(frozen=True)
class Simulation:
    """A truth (k, j, i), raters who see it through known confusion matrices (raters, truth, vote), and their votes."""

    truth: np.ndarray
    confusion: np.ndarray
    maps: list[np.ndarray]

    @property
    def ratings(self):
        return ratings_from(self.maps, values=list(range(1, self.confusion.shape[1])))


def simulate(fractions, confusion, *, shape, seed):
    rng = np.random.default_rng(seed)
    truth = rng.choice(len(fractions), p=fractions, size=shape).astype(np.uint8)
    confusion = np.asarray(confusion, float)
    maps = []
    for of_rater in confusion:
        chance = rng.random(shape)
        maps.append((chance[..., None] >= np.cumsum(of_rater, axis=1)[truth][..., :-1]).sum(-1).astype(np.uint8))
    return Simulation(truth, confusion, maps)


@pytest.fixture(scope="session")
def binary_raters():
    """Five raters of one structure that fills 30%: sensitivities 0.95 to 0.7, specificities 0.85 to 0.99."""
    pairs = [(0.95, 0.9), (0.9, 0.97), (0.85, 0.99), (0.8, 0.85), (0.7, 0.95)]
    confusion = [[[q, 1 - q], [1 - p, p]] for p, q in pairs]
    return simulate([0.7, 0.3], confusion, shape=(64, 64, 64), seed=1)


@pytest.fixture(scope="session")
def raters_of_three_labels():
    rng = np.random.default_rng(2)
    confusion = []
    for _ in range(5):
        right = rng.uniform(0.75, 0.95, size=4)
        wrong = rng.dirichlet(np.full(3, 5.0), size=4) * (1 - right)[:, None]
        confusion.append([np.insert(row, t, right[t]) for t, row in enumerate(wrong)])
    return simulate([0.4, 0.25, 0.2, 0.15], confusion, shape=(64, 64, 64), seed=3)


def slow_staple(votes, classes, prior, *, iterations):
    """STAPLE voxel by voxel as the paper writes it, with products; votes (raters, voxels), -1 for none.

    Returns (posterior (voxels, classes), performance (raters, truth, vote)).
    """
    raters, voxels = votes.shape
    share = np.stack([(votes == c).sum(0) for c in range(classes)], axis=1) / (votes >= 0).sum(0)[:, None]
    weights = share
    for _ in range(iterations):
        performance = np.zeros((raters, classes, classes))
        for r in range(raters):
            for v in range(classes):
                performance[r, :, v] = weights[votes[r] == v].sum(0)
            performance[r] /= performance[r].sum(1, keepdims=True)
        weights = np.tile(np.asarray(prior, float), (voxels, 1))
        for r in range(raters):
            seen = votes[r] >= 0
            weights[seen] *= performance[r][:, votes[r][seen]].T
        weights /= weights.sum(1, keepdims=True)
    return weights, performance
