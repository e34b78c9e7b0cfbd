"""Patches of labelled images to learn from, and whole images to be watched with."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from MedSegAI.Logic.training.config import TrainingConfig
from MedSegAI.Logic.training.data import Case
from MedSegAI.Logic.training.decathlon_set import DecathlonTrainingSet, DecathlonValidationSet


class Thresholds(torch.nn.Module):
    """Class 1 where the image is above zero, else background."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.zeros_like(image), image, torch.full_like(image, -9.0)], dim=1)


def test_the_dice_of_each_case_is_that_of_its_whole_image(a_config: TrainingConfig):
    image = np.full((32, 64, 32), -1.0, np.float32)
    image[:4] = 1.0
    half = np.zeros(image.shape, np.uint8)
    half[:2] = 1
    cases = [Case(name, image, label, np.argwhere(label)) for name, label in (("a", half), ("b", half * 0))]
    scores = DecathlonValidationSet(cases, a_config).score(Thresholds().eval(), [1, 0])
    assert scores == [{"anterior": 0.0, "posterior": 1.0}, {"anterior": pytest.approx(4 / 6), "posterior": 1.0}]


def test_a_patch_lies_on_a_labelled_voxel_when_that_is_asked_for(a_config: TrainingConfig):
    label = np.zeros((60, 80, 60), np.uint8)
    label[40, 50, 30] = 2
    case = Case(
        "one voxel", np.random.default_rng(0).normal(size=label.shape).astype(np.float32), label, np.argwhere(label)
    )
    plain = dataclasses.replace(
        a_config.augmentation, affine_probability=0.0, shift_voxels=0.0, flip_probability=0.0, intensity_probability=0.0
    )
    config = dataclasses.replace(a_config, foreground_fraction=1.0, augmentation=plain)
    sample = DecathlonTrainingSet([case], config).sample(0, generator=torch.Generator().manual_seed(0))
    assert sample.image.shape == (1, 32, 64, 32)
    assert sample.target.shape == (32, 64, 32)
    assert sample.target.dtype == torch.int64
    assert int((sample.target == 2).sum()) >= 1
    assert sample.weight is None
