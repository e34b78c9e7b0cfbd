"""Working in blocks of planes changes nothing, and a neighbour is one of six."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve, generate_binary_structure

from MedSegAI.Logic.consensus import voxel_expectation
from MedSegAI.Logic.consensus.fuse import FuseSettings, fuse
from MedSegAI.Logic.consensus.priors import SpatialPrior
from MedSegAI.Logic.consensus.staple import StapleSettings
from Testing.Logic.consensus.conftest import ratings_from


@pytest.mark.parametrize("part", [slice(0, 7), slice(0, 3), slice(3, 5), slice(6, 7)])
def test_neighbours_are_the_six_that_share_a_face(part):
    field = np.random.default_rng(0).random((2, 7, 5, 6)).astype(np.float32)
    six = generate_binary_structure(3, 1).astype(float)
    six[1, 1, 1] = 0
    wanted = np.stack([convolve(one.astype(float), six, mode="constant") for one in field])
    np.testing.assert_allclose(voxel_expectation._sum_of_neighbours(field, part), wanted[:, part], rtol=1e-6)


@pytest.mark.parametrize("block_numbers", [1, 2000])
def test_the_size_of_a_block_does_not_matter(raters_of_three_labels, monkeypatch, block_numbers):
    maps = [one[:9, :10, :11] for one in raters_of_three_labels.maps]
    looked = np.random.default_rng(1).random(maps[0].shape) < 0.8
    ratings = ratings_from(maps, values=[1, 2, 3], looked_at=[looked] * 5)
    prior = SpatialPrior({f"label_{v}": np.random.default_rng(v).random(maps[0].shape) / 3 for v in (1, 2, 3)})
    settings = FuseSettings(staple=StapleSettings(prior=prior, smoothing=0.4, max_iterations=10))
    whole = fuse(ratings, settings=settings)
    monkeypatch.setattr(voxel_expectation, "_BLOCK_NUMBERS", block_numbers)
    parts = fuse(ratings, settings=settings)
    np.testing.assert_array_equal(parts.labels, whole.labels)
    np.testing.assert_allclose(parts.probability(2), whole.probability(2), atol=1e-6)
    assert not whole.probability(2)[~looked].any()
    for one, other in zip(parts.performances, whole.performances):
        np.testing.assert_allclose(one.confusion, other.confusion, rtol=1e-6)
