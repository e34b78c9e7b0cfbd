"""Ratings of one scan must fit together before anybody compares them."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable

GRID = Grid((2, 3, 4), (1.0, 1.0, 1.0))
TABLE = LabelTable((Label(1, "nodule", "Nodule", (1.0, 0.0, 0.0)),))


def a_rating(rater="A", shape=GRID.shape, dtype=np.uint8, **options):
    return Rating(rater, np.zeros(shape, dtype), **options)


def test_raters_keep_their_order():
    assert Ratings(GRID, TABLE, (a_rating("B"), a_rating("A"))).raters == ("B", "A")


@pytest.mark.parametrize(
    ("ratings", "reason"),
    [
        ((), "no rating"),
        ((a_rating("A"), a_rating("A")), "'A' comes twice"),
        ((a_rating(shape=(2, 3, 5)),), r"shape \(2, 3, 5\)"),
        ((a_rating(dtype=np.float32),), "float32"),
        ((a_rating(looked_at=np.zeros(GRID.shape, np.uint8)),), "looked_at of 'A'"),
    ],
)
def test_what_does_not_fit_together_is_refused(ratings, reason):
    with pytest.raises(InputError, match=reason):
        Ratings(GRID, TABLE, ratings)
