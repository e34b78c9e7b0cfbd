"""Label maps, probability maps and entropy that follow from probabilities, with ties decided as stated."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.consensus.posterior import PatternPosterior, VoxelPosterior
from MedSegAI.Logic.consensus.vote_patterns import patterns_of
from MedSegAI.Logic.geometry import Box
from Testing.Logic.consensus.conftest import ratings_from

# One voxel each: certain, tie with background, tie of two labels, a rounding error below a tie, undecided.
PROBABILITIES = np.array([[0, 0, 1], [0.5, 0.5, 0], [0, 0.5, 0.5], [0.5 - 1e-12, 0.5 + 1e-12, 0], [0.25, 0.25, 0.5]])


@pytest.fixture(params=["patterns", "voxels"])
def posterior(request):
    """Probabilities of labels 3 and 7 in a row of five voxels, held in both ways."""
    if request.param == "voxels":
        inside = PROBABILITIES.T.reshape(3, 1, 5, 1).astype(np.float32)
        return VoxelPosterior(inside, Box((0, 0, 0), (1, 5, 1)), (1, 5, 1), np.array([0, 3, 7], np.uint8))
    patterns = patterns_of(ratings_from([[0, 0, 3, 3, 7], [0, 3, 0, 3, 0]], values=[3, 7]))
    order = np.argsort(patterns.code.ravel())
    return PatternPosterior(patterns, PROBABILITIES[order])


def test_a_tie_goes_to_background_then_to_the_lower_value(posterior):
    labels = posterior.most_probable()
    assert labels.dtype == np.uint8
    assert labels.ravel().tolist() == [7, 0, 3, 0, 7]


def test_a_structure_must_be_above_the_threshold(posterior):
    assert posterior.above(0.5).ravel().tolist() == [7, 0, 0, 0, 0]
    assert posterior.above(0.4).ravel().tolist() == [7, 3, 3, 3, 7]


def test_entropy_is_in_bits(posterior):
    assert posterior.entropy().dtype == np.float32
    np.testing.assert_allclose(posterior.entropy().ravel(), [0, 1, 1, 1, 1.5], atol=1e-6)


def test_probability_of_a_class(posterior):
    assert posterior.probability(2).dtype == np.float32
    np.testing.assert_allclose(posterior.probability(2).ravel(), PROBABILITIES[:, 2])


def test_outside_its_box_a_voxel_is_background_for_certain():
    half = np.full((2, 1, 1, 1), 0.5, np.float32)
    posterior = VoxelPosterior(half, Box((1, 1, 1), (2, 2, 2)), (2, 2, 2), np.array([0, 1], np.uint8))
    assert posterior.probability(0).sum() == 7.5
    assert posterior.probability(1).sum() == 0.5
    assert np.count_nonzero(posterior.above(0.4)) == np.count_nonzero(posterior.entropy()) == 1
