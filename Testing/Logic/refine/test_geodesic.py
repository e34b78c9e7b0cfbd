"""The nearer end of a path wins, and a step of brightness makes a path long."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.refine.geodesic import geodesic
from MedSegAI.Logic.refine.neighbours import neighbours

ROW = (1, 1, 12)


def row_between(values: np.ndarray, *, smoothness: float, log_odds: float = 0.0) -> list[bool]:
    """A row whose first voxel is inside and whose last is outside; the ones between are free."""
    free, known = np.ones(ROW, dtype=bool), np.zeros(ROW, dtype=bool)
    free[..., [0, -1]] = False
    known[..., 0] = True
    image = values.reshape(ROW)
    pairs = neighbours(image, free, spacing_kji=(1.0, 1.0, 2.0))
    return geodesic(np.full(ROW, log_odds), pairs, known, free, smoothness=smoothness).ravel().tolist()


def test_in_a_flat_image_the_border_lies_half_way():
    assert row_between(np.zeros(12), smoothness=1.0) == [True] * 6 + [False] * 6


def test_the_border_moves_to_the_step_of_brightness():
    image = np.where(np.arange(12) < 9, 5.0, 0.0)
    assert row_between(image, smoothness=20.0) == [True] * 9 + [False] * 3


def test_evidence_is_worth_one_millimetre_for_each_log_odd():
    """Voxel 7 is 14 mm from the inside and 8 mm from the outside."""
    assert row_between(np.zeros(12), smoothness=1.0, log_odds=5.9)[7] is False
    assert row_between(np.zeros(12), smoothness=1.0, log_odds=6.1)[7] is True


def test_where_no_path_ends_the_evidence_decides():
    free, known = np.ones(ROW, dtype=bool), np.zeros(ROW, dtype=bool)
    pairs = neighbours(np.zeros(ROW), free, spacing_kji=(1.0, 1.0, 1.0))
    log_odds = np.where(np.arange(12) < 4, 1.0, -1.0).reshape(ROW)
    assert np.array_equal(geodesic(log_odds, pairs, known, free, smoothness=1.0), log_odds > 0)


def test_where_nothing_is_free_nothing_is_decided():
    known, free = np.ones(ROW, dtype=bool), np.zeros(ROW, dtype=bool)
    pairs = neighbours(np.zeros(ROW), free, spacing_kji=(1.0, 1.0, 1.0))
    assert np.array_equal(geodesic(np.full(ROW, -9.0), pairs, known, free, smoothness=1.0), known)
