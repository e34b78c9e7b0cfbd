"""The mean probability of each label, gathered piece by piece."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.inference.label_confidence import WinningProbabilities, winning_probabilities
from MedSegAI.Logic.labels import Label, LabelTable

TABLE = LabelTable(
    tuple(Label(value, key, key, (1, 0, 0)) for value, key in ((1, "liver"), (2, "spleen"), (9, "aorta")))
)


def test_a_label_has_the_mean_of_its_voxels_and_one_that_was_not_found_has_none():
    labels = np.array([[0, 1], [1, 2]], np.uint8)
    gathered = WinningProbabilities()
    gathered.add(labels, np.array([[1.0, 0.5], [0.75, 0.875]], np.float32))
    assert gathered.means(TABLE) == {"liver": 0.625, "spleen": 0.875}


def test_pieces_of_unequal_size_weigh_by_their_voxels():
    gathered = WinningProbabilities()
    gathered.add(np.array([1], np.uint8), np.array([0.5]))
    gathered.add(np.array([1, 1, 1], np.uint8), np.array([1.0, 1.0, 0.5]))
    assert gathered.means(TABLE) == {"liver": 0.75}


def test_a_map_gives_the_same_as_its_planes():
    labels = np.random.default_rng(0).integers(0, 3, (4, 5, 6)).astype(np.uint8)
    probabilities = np.random.default_rng(1).uniform(0.3, 1, labels.shape).astype(np.float16)
    means = winning_probabilities(labels, probabilities).means(TABLE)
    for key, value in (("liver", 1), ("spleen", 2)):
        assert means[key] == pytest.approx(probabilities[labels == value].astype(float).mean())


def test_a_regions_labels_count_under_the_names_they_get():
    of_region = WinningProbabilities()
    of_region.add(np.array([1, 2, 3], np.uint8), np.array([0.5, 0.25, 0.125]))
    whole = WinningProbabilities()
    whole.add_renamed(of_region, [(1, 9), (2, 9)])
    assert whole.means(TABLE) == {"aorta": 0.375}
