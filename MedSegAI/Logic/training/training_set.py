"""What a training run asks of its data: samples to learn from, and cases to be validated on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Sample:
    """One augmented patch.

    Args:
        image: Normalised voxels (channels, k, j, i) float32.
        target: What the network should say, voxel by voxel the image: label values (k, j, i) int64, 0 the background;
            or probabilities (classes, k, j, i) float32 that add up to 1.
        weight: How much each voxel counts in the loss, (k, j, i) float32; None: all count 1. A weight of 0 is for
            voxels whose label nobody knows.
    """

    image: Tensor
    target: Tensor
    weight: Tensor | None = None


class TrainingSet(Protocol):
    """Cases that samples are cut from; all randomness comes from the generator, so that a run can be repeated."""

    def __len__(self) -> int:
        """Cases; an epoch shows each of them once."""
        ...

    def sample(self, index: int, *, generator: torch.Generator) -> Sample:
        """An augmented patch of case ``index``; every sample of a set has the same shape."""
        ...


class ValidationSet(Protocol):
    """Cases that a run is watched with."""

    def __len__(self) -> int: ...

    def score(self, network: nn.Module, indices: Sequence[int]) -> list[dict[str, float]]:
        """Dice of each label by its name, a dictionary for each of the cases ``indices``.

        The network is in evaluation mode and is not changed.
        """
        ...


@dataclass(frozen=True, eq=False)
class ShownCase:
    """A validation case as a picture needs it.

    Args:
        image: Normalised voxels (k, j, i) float32.
        reference: Label values (k, j, i) uint8 of the expert.
        predicted: Label values (k, j, i) uint8 of the network.
        spacing_mm: Spacing (i, j, k).
        directions: Where i, j and k run to in the patient: Right or Left, Anterior or Posterior, Superior or Inferior.
    """

    image: np.ndarray
    reference: np.ndarray
    predicted: np.ndarray
    spacing_mm: tuple[float, float, float]
    directions: str = "RAS"


@runtime_checkable
class ShowsCases(Protocol):
    """What a validation set may offer so that reports name and show its cases."""

    @property
    def names(self) -> Sequence[str]:
        """Name of each case."""
        ...

    def show(self, network: nn.Module, index: int) -> ShownCase:
        """Case ``index`` beside what the network says of it."""
        ...
