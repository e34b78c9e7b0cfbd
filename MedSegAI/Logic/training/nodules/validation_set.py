"""Nodules as a validation set: each is pointed at once, with an error that stays the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.training.nodules.case import NoduleCase
from MedSegAI.Logic.training.nodules.click import random_click
from MedSegAI.Logic.training.nodules.config import NoduleDataConfig
from MedSegAI.Logic.training.nodules.point_at import segment_at
from MedSegAI.Logic.training.training_set import ShownCase

CLICK_SEED = 20


class NoduleValidationSet:
    """Dice with the consensus of the component at a click; see ``ValidationSet``."""

    def __init__(self, cases: Sequence[NoduleCase], data: NoduleDataConfig, *, window: tuple[int, int, int]) -> None:
        self.cases, self.data, self.window = tuple(cases), data, window

    def __len__(self) -> int:
        """Cases."""
        return len(self.cases)

    def score(self, network: nn.Module, indices: Sequence[int]) -> list[dict[str, float]]:
        """Dice of each case; the click depends on the case's place in the set alone."""
        return [{self.data.labels[1]: self._dice(network, index)} for index in indices]

    @property
    def names(self) -> list[str]:
        """Names of the nodules."""
        return [case.name for case in self.cases]

    def show(self, network: nn.Module, index: int) -> ShownCase:
        """A nodule beside what the network finds at its click."""
        case = self.cases[index]
        image = normalise(case.hu, self.data.normalisation)
        return ShownCase(image, case.consensus, self._found(network, index), self.data.spacing_mm, "LPS")

    def _dice(self, network: nn.Module, index: int) -> float:
        return dice(self._found(network, index), self.cases[index].consensus)

    def _found(self, network: nn.Module, index: int) -> np.ndarray:
        case = self.cases[index]
        generator = torch.Generator().manual_seed(CLICK_SEED + index)
        click = random_click(case, largest_error=self.data.click_error, generator=generator)
        return segment_at(network, case, click, window=self.window, normalisation=self.data.normalisation)
