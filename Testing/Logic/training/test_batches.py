"""A batch follows from the seed and the step alone."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from MedSegAI.Logic.files.decathlon import read_split
from MedSegAI.Logic.training.batches import batch_of_step, case_at, steps_per_epoch, together
from MedSegAI.Logic.training.data import load_cases
from MedSegAI.Logic.training.decathlon_set import DecathlonTrainingSet
from MedSegAI.Logic.training.training_set import Sample


@pytest.fixture
def two_cases(a_config, hippocampus_folder) -> DecathlonTrainingSet:
    names = read_split(hippocampus_folder / "split.json").train[:2]
    return DecathlonTrainingSet(load_cases(hippocampus_folder, names, a_config.data), a_config)


def test_every_case_is_seen_once_an_epoch(a_config):
    config = dataclasses.replace(a_config, batch_size=2)
    assert steps_per_epoch(5, config) == 3
    for epoch in range(3):
        assert {case_at(5, config, 5 * epoch + place) for place in range(5)} == set(range(5))


def test_a_batch_depends_on_seed_and_step_only(a_config, two_cases):
    batch = batch_of_step(two_cases, a_config, 3)
    assert batch.images.shape == (1, 1, 32, 64, 32)
    assert batch.targets.shape == (1, 32, 64, 32)
    assert batch.images.dtype == torch.float32
    assert batch.targets.dtype == torch.int64
    assert torch.equal(batch.images, batch_of_step(two_cases, a_config, 3).images)
    assert not torch.equal(batch.images, batch_of_step(two_cases, a_config, 4).images)
    assert not torch.equal(batch.images, batch_of_step(two_cases, dataclasses.replace(a_config, seed=2), 3).images)


def test_a_batch_of_two_is_the_two_batches_of_one(a_config, two_cases):
    """So that two processes with one sample each learn from what one process with two would see."""
    doubled = batch_of_step(two_cases, dataclasses.replace(a_config, batch_size=2), 3)
    halves = [batch_of_step(two_cases, a_config, step).images for step in (6, 7)]
    assert torch.equal(doubled.images, torch.cat(halves))


def test_a_sample_without_weights_counts_fully_beside_one_that_has_them():
    image, target = torch.zeros(1, 2, 2, 2), torch.zeros(2, 2, 2, dtype=torch.int64)
    batch = together([Sample(image, target), Sample(image, target, torch.zeros(2, 2, 2))])
    assert batch.weights.sum(dim=(1, 2, 3)).tolist() == [8, 0]
    assert together([Sample(image, target)]).weights is None
