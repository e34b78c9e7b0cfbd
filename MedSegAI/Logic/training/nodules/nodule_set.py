"""Nodules as a training set: windows around simulated clicks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.training.augment import Placement, change_intensities, cut_patch, random_placement
from MedSegAI.Logic.training.config import AugmentationConfig
from MedSegAI.Logic.training.nodules.case import NoduleCase, Source
from MedSegAI.Logic.training.nodules.click import random_click
from MedSegAI.Logic.training.nodules.config import NoduleDataConfig, ReferenceKind
from MedSegAI.Logic.training.nodules.reference import reference_of
from MedSegAI.Logic.training.nodules.two_modes import LUNG_HU
from MedSegAI.Logic.training.training_set import Sample

_STEPS_OF_A_SOFT_LABEL = 100
_LUNG_SPREAD_HU, _LUNG_NOISE_HU = 40.0, 30.0


@dataclass(frozen=True, eq=False)
class _Ready:
    """A case normalised, with its reference where that is the same every time."""

    case: NoduleCase
    image: Tensor
    reference: Tensor | None


class NoduleTrainingSet:
    """Windows around clicks; see ``TrainingSet``.

    A voxel outside what is known of a case has the weight 0. There the window shows, one time in two, the nearest
    known voxel, else the shade of lung.

    Args:
        cases: The nodules of the training patients.
        data: How clicks, labels and unknown slices are treated.
        augmentation: How shapes and intensities are varied.
        shape: The window (k, j, i) in voxels.
    """

    def __init__(
        self,
        cases: Sequence[NoduleCase],
        data: NoduleDataConfig,
        *,
        augmentation: AugmentationConfig,
        shape: tuple[int, int, int],
    ) -> None:
        self.data, self.augmentation, self.shape = data, augmentation, shape
        self.kind = ReferenceKind(data.reference)
        ready = [self._ready(case) for case in cases]
        repeats = [data.cube_repeats if one.case.source is Source.CUBES else 1 for one in ready]
        self.entries = tuple(one for one, times in zip(ready, repeats) for _ in range(times))

    def __len__(self) -> int:
        """Cases, a cube counted as often as an epoch shows it."""
        return len(self.entries)

    def sample(self, index: int, *, generator: torch.Generator) -> Sample:
        """A window around a click that misses the middle, its shape and intensities varied."""
        entry = self.entries[index]
        click = random_click(entry.case, largest_error=self.data.click_error, generator=generator)
        image, reference = entry.image, entry.reference
        if reference is None:
            reference = _encoded(reference_of(entry.case, self.kind, generator=generator))
        if entry.case.source is Source.SLICES and _chance(self.data.truncation, generator):
            low, high = _kept_slices(image.shape[0], float(click[0]), generator)
            image, reference = image[low:high], reference[low:high]
            click = click - (low, 0, 0)
        placement = self._placement(torch.from_numpy(click).float(), generator)
        patch, encoded = cut_patch(image, reference, placement, shape=self.shape, edge="border")
        known = encoded > 0
        if _chance(0.5, generator):
            patch = torch.where(known, patch, _lung(self.shape, self.data, generator))
        patch = change_intensities(patch, self.augmentation, generator=generator)
        patch, known = self._with_empty_margin(patch, known, generator)
        return Sample(patch[None], self._target(encoded), known.float())

    def _ready(self, case: NoduleCase) -> _Ready:
        drawn_each_time = self.kind is ReferenceKind.RANDOM_READER
        reference = None if drawn_each_time else _encoded(reference_of(case, self.kind))
        return _Ready(case, torch.from_numpy(normalise(case.hu, self.data.normalisation)), reference)

    def _placement(self, click: Tensor, generator: torch.Generator) -> Placement:
        placed = random_placement(self.shape, click, self.augmentation, generator=generator)
        exchanged = _random_exchange(all_axes=_chance(self.data.exchange, generator), generator=generator)
        return Placement(placed.matrix @ exchanged, placed.centre, placed.displacement)

    def _target(self, encoded: Tensor) -> Tensor:
        probability = (encoded - 1).clamp_min(0).float() / _STEPS_OF_A_SOFT_LABEL
        if self.kind is ReferenceKind.SOFT:
            return torch.stack([1 - probability, probability])
        return (probability > 0.5).long()

    def _with_empty_margin(self, patch: Tensor, known: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Some voxels at each side emptied, as where a region of interest is a little smaller than the window."""
        margins = torch.randint(self.data.edge_margin + 1, (3, 2), generator=generator).tolist()
        inside = tuple(slice(low, n - high) for (low, high), n in zip(margins, patch.shape))
        emptied, counted = torch.zeros_like(patch), torch.zeros_like(known)
        emptied[inside], counted[inside] = patch[inside], known[inside]
        return emptied, counted


def _encoded(reference: np.ndarray) -> Tensor:
    """Probabilities as 1 to 101, so that the 0 which a cut leaves outside the array means: not known."""
    return torch.from_numpy(1 + np.round(reference * _STEPS_OF_A_SOFT_LABEL)).to(torch.uint8)


def _kept_slices(count: int, click: float, generator: torch.Generator) -> tuple[int, int]:
    """The first slice that is kept and the one after the last; the click's own slice stays."""
    below, above = torch.rand(2, generator=generator).tolist()
    at = min(max(round(click), 0), count - 1)
    return int(below * (at + 1)), count - int(above * (count - at))


def _random_exchange(*, all_axes: bool, generator: torch.Generator) -> Tensor:
    """A matrix that lets axes change places and directions: all three, or only j with i."""
    order = torch.randperm(3, generator=generator) if all_axes else 1 + torch.randperm(2, generator=generator)
    order = order if all_axes else torch.cat([torch.zeros(1, dtype=torch.long), order])
    signs = torch.randint(2, (3,), generator=generator).float() * 2 - 1
    return torch.eye(3)[order] * signs


def _lung(shape: tuple[int, int, int], data: NoduleDataConfig, generator: torch.Generator) -> Tensor:
    """Normalised voxels (k, j, i) of noisy lung without vessels."""
    mean = LUNG_HU + float(torch.randn((), generator=generator)) * _LUNG_SPREAD_HU
    hu = mean + torch.randn(shape, generator=generator) * _LUNG_NOISE_HU
    return torch.from_numpy(normalise(hu.numpy(), data.normalisation))


def _chance(probability: float, generator: torch.Generator) -> bool:
    return float(torch.rand((), generator=generator)) < probability
