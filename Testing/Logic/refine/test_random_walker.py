"""The chances are those of the dense system; a walk ends where the label is fixed."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.refine.neighbours import neighbours
from MedSegAI.Logic.refine.random_walker import random_walker

SHAPE = (3, 4, 5)


def dense_chances(log_odds: np.ndarray, pairs, known: np.ndarray, free: np.ndarray, smoothness: float) -> np.ndarray:
    """All voxels in one matrix, solved without iterations; fixed voxels stand for themselves."""
    matrix, right = np.eye(free.size), known.ravel().astype(float)
    number = free.ravel()
    right[number] = 1 / (1 + np.exp(-log_odds.ravel()[number]))
    for first, second, likeness in zip(pairs.first, pairs.second, pairs.likeness):
        for here, there in ((first, second), (second, first)):
            if number[here]:
                matrix[here, here] += smoothness * likeness
                matrix[here, there] -= smoothness * likeness
    return np.linalg.solve(matrix, right).reshape(free.shape)


@pytest.mark.parametrize("seed", range(6))
def test_the_label_is_where_the_dense_solution_is_above_a_half(seed):
    generator = np.random.default_rng(seed)
    free, known = generator.random(SHAPE) < 0.7, generator.random(SHAPE) < 0.5
    log_odds = generator.normal(size=SHAPE)
    pairs = neighbours(generator.normal(size=SHAPE), free, spacing_kji=(2.0, 1.0, 1.0))
    found = random_walker(log_odds, pairs, known, free, smoothness=2.0)
    chances = dense_chances(log_odds, pairs, known, free, 2.0)
    clear = free & (np.abs(chances - 0.5) > 1e-3)
    assert np.array_equal(found[clear], chances[clear] > 0.5)
    assert np.array_equal(found[~free], known[~free])


def test_where_nothing_is_free_nothing_is_decided():
    known, free = np.ones(SHAPE, dtype=bool), np.zeros(SHAPE, dtype=bool)
    pairs = neighbours(np.zeros(SHAPE), free, spacing_kji=(1.0, 1.0, 1.0))
    assert np.array_equal(random_walker(np.full(SHAPE, -9.0), pairs, known, free, smoothness=1.0), known)
