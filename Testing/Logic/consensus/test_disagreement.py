"""The map of disagreement is the entropy of the consensus, told as a part of the largest there can be."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.consensus.disagreement import disagreement_map
from MedSegAI.Logic.consensus.fuse import Method, fuse
from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable

GRID = Grid((1, 1, 3), (1.0, 1.0, 1.0))


def ratings(*votes, labels):
    table = LabelTable(tuple(Label(value, f"l{value}", f"L{value}", (1.0, 0.0, 0.0)) for value in labels))
    return Ratings(GRID, table, tuple(Rating(f"R{n}", np.array([[vote]], np.uint8)) for n, vote in enumerate(votes)))


@pytest.mark.parametrize(
    ("labels", "votes", "expected"),
    [
        # Two of two for background, one of two, two of two for the label.
        ((1,), ([0, 0, 1], [0, 1, 1]), [0.0, 1.0, 0.0]),
        # Three raters with three opinions: as undecided as three labels can be.
        ((1, 2), ([0, 0, 1], [0, 1, 1], [0, 2, 1]), [0.0, 1.0, 0.0]),
    ],
)
def test_it_is_nought_where_all_agree_and_one_where_nothing_is_decided(labels, votes, expected):
    consensus = fuse(ratings(*votes, labels=labels), method=Method.MAJORITY)
    heat = disagreement_map(consensus, name="where")
    assert (heat.name, heat.array.dtype) == ("where", np.float32)
    assert np.allclose(heat.array, [[expected]], atol=1e-6)
