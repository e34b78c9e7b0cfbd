"""A batch follows from the seed and the step alone."""

from __future__ import annotations

import dataclasses

import torch

from MedSegAI.Logic.files.decathlon import read_split
from MedSegAI.Logic.training.batches import batch_of_step, case_at, steps_per_epoch
from MedSegAI.Logic.training.data import load_cases


def test_every_case_is_seen_once_an_epoch(a_config, hippocampus_folder):
    names = read_split(hippocampus_folder / "split.json").train[:5]
    cases = load_cases(hippocampus_folder, names, a_config.data)
    config = dataclasses.replace(a_config, batch_size=2)
    assert steps_per_epoch(len(cases), config) == 3
    for epoch in range(3):
        assert {case_at(cases, config, 5 * epoch + place).name for place in range(5)} == set(names)


def test_a_batch_depends_on_seed_and_step_only(a_config, hippocampus_folder):
    cases = load_cases(hippocampus_folder, read_split(hippocampus_folder / "split.json").train[:2], a_config.data)
    image, label = batch_of_step(cases, a_config, 3)
    assert image.shape == label.shape == (1, 1, 32, 64, 32)
    assert image.dtype == torch.float32
    assert label.dtype == torch.int64
    assert torch.equal(image, batch_of_step(cases, a_config, 3)[0])
    assert not torch.equal(image, batch_of_step(cases, a_config, 4)[0])
    assert not torch.equal(image, batch_of_step(cases, dataclasses.replace(a_config, seed=2), 3)[0])
