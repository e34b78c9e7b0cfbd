"""The batch of any step, computed from the seed and the step's number alone.

Nothing is carried from one step to the next, so a resumed run sees exactly the batches of an uninterrupted one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from MedSegAI.Logic.training.augment import change_intensities, cut_patch, random_placement
from MedSegAI.Logic.training.config import TrainingConfig
from MedSegAI.Logic.training.data import Case

_STRIDE_OF_SEEDS = 1_000_003


def steps_per_epoch(case_count: int, config: TrainingConfig) -> int:
    """Steps in which every case is seen once (the last batch is filled from the next epoch's order)."""
    return math.ceil(case_count / config.batch_size)


def seed_of_step(config: TrainingConfig, step: int) -> int:
    """The seed of everything random in a step."""
    return config.seed * _STRIDE_OF_SEEDS + step


def batch_of_step(cases: Sequence[Case], config: TrainingConfig, step: int) -> tuple[Tensor, Tensor]:
    """Augmented patches (batch, 1, k, j, i) float32 and their labels (batch, 1, k, j, i) int64 of step 0, 1, 2..."""
    generator = torch.Generator().manual_seed(seed_of_step(config, step))
    first = step * config.batch_size
    drawn = [case_at(cases, config, first + place) for place in range(config.batch_size)]
    patches, labels = zip(*(_random_patch(case, config, generator) for case in drawn))
    return torch.stack(patches)[:, None], torch.stack(labels)[:, None]


def case_at(cases: Sequence[Case], config: TrainingConfig, position: int) -> Case:
    """The case at a position of the endless sequence of shuffled passes through all cases."""
    turn, place = divmod(position, len(cases))
    generator = torch.Generator().manual_seed(config.seed * _STRIDE_OF_SEEDS - 1 - turn)
    return cases[int(torch.randperm(len(cases), generator=generator)[place])]


def _random_patch(case: Case, config: TrainingConfig, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    shape = config.patch_size
    centre = _random_centre(case, config, generator)
    placement = random_placement(shape, centre, config.augmentation, generator=generator)
    # A crop ends in nothing, a whole head goes on: the network should be at ease with both.
    edge = "zeros" if torch.rand((), generator=generator) < 0.5 else "border"
    image, label = torch.from_numpy(case.image), torch.from_numpy(case.label)
    patch, values = cut_patch(image, label, placement, shape=shape, edge=edge)
    return change_intensities(patch, config.augmentation, generator=generator), values


def _random_centre(case: Case, config: TrainingConfig, generator: torch.Generator) -> Tensor:
    """Centre (k, j, i) of a patch: on a labelled voxel or anywhere, moved so that the patch stays in the image."""
    extent = torch.tensor(case.image.shape, dtype=torch.float32)
    half = torch.tensor(config.patch_size, dtype=torch.float32) / 2
    low, high = half - 0.5, extent - half - 0.5
    if len(case.foreground) and torch.rand((), generator=generator) < config.foreground_fraction:
        chosen = int(torch.randint(len(case.foreground), (1,), generator=generator))
        centre = torch.from_numpy(case.foreground[chosen]).float()
    else:
        centre = torch.rand(3, generator=generator) * extent
    middle = (extent - 1) / 2
    return torch.where(high > low, torch.minimum(torch.maximum(centre, low), high), middle)
