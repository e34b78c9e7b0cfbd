"""Labelled images of a Decathlon folder as a training set and a validation set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.files.decathlon import data_folder as find_data_folder
from MedSegAI.Logic.files.decathlon import read_split
from MedSegAI.Logic.training.augment import change_intensities, cut_patch, random_placement
from MedSegAI.Logic.training.config import TrainingConfig
from MedSegAI.Logic.training.data import Case, load_cases
from MedSegAI.Logic.training.training_set import Sample, ShownCase
from MedSegAI.Logic.training.validation import predict_labels


class DecathlonTrainingSet:
    """Patches of ``config.patch_size`` cut from cases held in memory; see ``TrainingSet``."""

    def __init__(self, cases: Sequence[Case], config: TrainingConfig) -> None:
        self.cases, self.config = tuple(cases), config

    def __len__(self) -> int:
        """Cases."""
        return len(self.cases)

    def sample(self, index: int, *, generator: torch.Generator) -> Sample:
        """A random patch of the case, its shape and intensities varied."""
        case, config = self.cases[index], self.config
        shape = config.patch_size
        placement = random_placement(
            shape, _random_centre(case, config, generator), config.augmentation, generator=generator
        )
        # A crop ends in nothing, a whole head goes on: the network should be at ease with both.
        edge = "zeros" if torch.rand((), generator=generator) < 0.5 else "border"
        image, label = torch.from_numpy(case.image), torch.from_numpy(case.label)
        patch, values = cut_patch(image, label, placement, shape=shape, edge=edge)
        return Sample(change_intensities(patch, config.augmentation, generator=generator)[None], values)


class DecathlonValidationSet:
    """Whole images, put together from windows; see ``ValidationSet``."""

    def __init__(self, cases: Sequence[Case], config: TrainingConfig) -> None:
        self.cases, self.config = tuple(cases), config

    def __len__(self) -> int:
        """Cases."""
        return len(self.cases)

    def score(self, network: nn.Module, indices: Sequence[int]) -> list[dict[str, float]]:
        """Dice of each label; one absent from both sides of a case counts as 1."""
        return [self._score_case(network, self.cases[index]) for index in indices]

    @property
    def names(self) -> list[str]:
        """Names of the cases' files."""
        return [case.name for case in self.cases]

    def show(self, network: nn.Module, index: int) -> ShownCase:
        """A case beside what the network says of it."""
        case = self.cases[index]
        return ShownCase(case.image, case.label, self._predicted(network, case), self.config.data.spacing_mm)

    def _predicted(self, network: nn.Module, case: Case) -> np.ndarray:
        window, overlap = self.config.patch_size, self.config.validation.overlap
        return predict_labels(network, case.image, window=window, overlap=overlap)

    def _score_case(self, network: nn.Module, case: Case) -> dict[str, float]:
        predicted = self._predicted(network, case)
        names = self.config.data.labels
        return {names[value]: dice(predicted == value, case.label == value) for value in sorted(names)}


def open_sets(config: TrainingConfig, data_folder: Path | None) -> tuple[DecathlonTrainingSet, DecathlonValidationSet]:
    """Read the cases of the split into memory; see ``Logic/training/opening.py``.

    Raises:
        InputError: if folder, split or a case cannot be used.
    """
    folder = find_data_folder(data_folder, name=config.data.folder)
    split = read_split(folder / config.data.split_file)
    cases, watched = (load_cases(folder, names, config.data) for names in (split.train, split.val))
    return DecathlonTrainingSet(cases, config), DecathlonValidationSet(watched, config)


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
