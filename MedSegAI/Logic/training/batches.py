"""The batch of any step, computed from the seed and the step's number alone.

Nothing is carried from one step to the next, so a resumed run sees exactly the batches of an uninterrupted one. Each
sample has a seed of its own, so several processes that share a batch see together what one process would see.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from MedSegAI.Logic.training.config import TrainingConfig
from MedSegAI.Logic.training.training_set import Sample, TrainingSet

_STRIDE_OF_SEEDS = 1_000_003


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples one after another along a first axis; fields as in ``Sample``.

    Args:
        images: (batch, channels, k, j, i) float32.
        targets: (batch, k, j, i) int64, or (batch, classes, k, j, i) float32.
        weights: (batch, k, j, i) float32, or None.
    """

    images: Tensor
    targets: Tensor
    weights: Tensor | None


def steps_per_epoch(case_count: int, config: TrainingConfig) -> int:
    """Steps in which every case is seen once (the last batch is filled from the next epoch's order)."""
    return math.ceil(case_count / config.batch_size)


def seed_of_step(config: TrainingConfig, step: int) -> int:
    """The seed of what is random in the network in a step, such as stochastic depth."""
    return config.seed * _STRIDE_OF_SEEDS + step


def batch_of_step(samples_from: TrainingSet, config: TrainingConfig, step: int) -> Batch:
    """The augmented samples of step 0, 1, 2..."""
    first = step * config.batch_size
    return together([sample_at(samples_from, config, first + place) for place in range(config.batch_size)])


def sample_at(samples_from: TrainingSet, config: TrainingConfig, position: int) -> Sample:
    """The sample at a position of the run's endless sequence of samples."""
    generator = torch.Generator().manual_seed((config.seed + 1_000) * _STRIDE_OF_SEEDS + position)
    return samples_from.sample(case_at(len(samples_from), config, position), generator=generator)


def case_at(case_count: int, config: TrainingConfig, position: int) -> int:
    """Index of the case at a position of the endless sequence of shuffled passes through all cases."""
    turn, place = divmod(position, case_count)
    generator = torch.Generator().manual_seed(config.seed * _STRIDE_OF_SEEDS - 1 - turn)
    return int(torch.randperm(case_count, generator=generator)[place])


def together(samples: Sequence[Sample]) -> Batch:
    """Samples of one set as a batch; one without weights counts 1 everywhere beside one that has them."""
    images, targets = (torch.stack([getattr(s, name) for s in samples]) for name in ("image", "target"))
    if all(sample.weight is None for sample in samples):
        return Batch(images, targets, None)
    weights = [torch.ones(s.image.shape[1:]) if s.weight is None else s.weight for s in samples]
    return Batch(images, targets, torch.stack(weights))
