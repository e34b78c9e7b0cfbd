"""The cut is the label of least energy among all labels there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from MedSegAI.Logic.refine.graph_cut import graph_cut
from MedSegAI.Logic.refine.neighbours import neighbours

SHAPE = (2, 3, 3)
SMOOTHNESS = 1.3


def energy(mask: np.ndarray, log_odds: np.ndarray, pairs, free: np.ndarray) -> float:
    """What Boykov and Jolly's energy is, written down anew."""
    wrong = np.where(mask, np.maximum(-log_odds, 0), np.maximum(log_odds, 0))[free].sum()
    flat = mask.ravel()
    return float(wrong + SMOOTHNESS * pairs.likeness[flat[pairs.first] != flat[pairs.second]].sum())


@pytest.mark.parametrize("seed", range(6))
def test_no_other_label_of_the_free_voxels_has_less_energy(seed):
    generator = np.random.default_rng(seed)
    free = generator.random(SHAPE) < 0.6
    known = generator.random(SHAPE) < 0.5
    log_odds = generator.normal(size=SHAPE)
    pairs = neighbours(generator.normal(size=SHAPE), free, spacing_kji=(3.0, 1.0, 0.5))
    found = graph_cut(log_odds, pairs, known, free, smoothness=SMOOTHNESS)
    assert np.array_equal(found[~free], known[~free])
    energies = []
    for values in itertools.product([False, True], repeat=int(free.sum())):
        candidate = known.copy()
        candidate[free] = values
        energies.append(energy(candidate, log_odds, pairs, free))
    # Capacities are rounded to a thousandth.
    assert energy(found, log_odds, pairs, free) == pytest.approx(min(energies), abs=0.02)


def test_where_nothing_is_free_nothing_is_decided():
    known = np.ones(SHAPE, dtype=bool)
    free = np.zeros(SHAPE, dtype=bool)
    pairs = neighbours(np.zeros(SHAPE), free, spacing_kji=(1.0, 1.0, 1.0))
    assert np.array_equal(graph_cut(np.full(SHAPE, -9.0), pairs, known, free, smoothness=1.0), known)


def test_evidence_beyond_all_measure_does_not_overflow():
    """Capacities are 32-bit numbers; the whole flow here is more than they hold."""
    shape = (20, 20, 20)
    free = np.ones(shape, dtype=bool)
    log_odds = np.where(np.arange(8000).reshape(shape) < 4000, 1e9, -1e9)
    pairs = neighbours(np.zeros(shape), free, spacing_kji=(1.0, 1.0, 1.0))
    found = graph_cut(log_odds, pairs, ~free, free, smoothness=500.0)
    assert np.array_equal(found, log_odds > 0)
