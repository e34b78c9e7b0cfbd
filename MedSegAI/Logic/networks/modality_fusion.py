"""Several scans of one patient made into one map, however many of them there are.

Each modality goes through a small encoder of its own (or one that all share), and a weighted mean over those that are
present joins them. What a missing modality holds reaches nothing. In training, modalities are left out at random, as in
Neverova et al. 2015, *ModDrop*, so that the network learns to do without any of them.
"""

from __future__ import annotations

from enum import Enum

import torch
from torch import Tensor, nn

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.networks.convolution_blocks import ResidualBlock


class FusionKind(str, Enum):
    """How the maps of the modalities that are present become one."""

    ATTENTION = "attention"
    """By weights that each modality's own map decides place by place; equal at the start."""
    MEAN = "mean"
    """By equal weights."""


class StemKind(str, Enum):
    """Which weights the small encoders have."""

    OWN = "own"
    """Each modality its own."""
    SHARED = "shared"
    """All the same."""


class ModalityFusion(nn.Module):
    """Small encoders, one a modality, and a mean of their maps over the modalities that are present.

    Args:
        modalities: Channels of the input.
        width: Channels of the fused map.
        fusion: How maps are joined.
        stems: Which weights the encoders have.
        dropout: How often each modality is left out in training, though never all that a sample has.

    Raises ModelError when an argument is out of range.
    """

    def __init__(
        self,
        modalities: int,
        width: int,
        *,
        fusion: FusionKind = FusionKind.ATTENTION,
        stems: StemKind = StemKind.OWN,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if modalities < 1 or width < 1 or not 0 <= dropout <= 1:
            raise ModelError(
                f"{modalities} modalities cannot be fused to {width} channels with a dropout of {dropout}.",
                advice="Give at least one of each, and a dropout from 0 to 1.",
            )
        kinds = modalities if stems is StemKind.OWN else 1
        self.modalities = modalities
        self.dropout = dropout
        self.stems = nn.ModuleList(ResidualBlock(1, width) for _ in range(kinds))
        self.scores = None
        if fusion is FusionKind.ATTENTION:
            self.scores = nn.ModuleList(nn.Conv3d(width, 1, 1) for _ in range(kinds))
            for score in self.scores:
                nn.init.zeros_(score.weight)
                nn.init.zeros_(score.bias)

    def forward(self, volume: Tensor, present: Tensor) -> Tensor:
        """The fused map (batch, width, k, j, i); zero for a sample of which nothing is present.

        Args:
            volume: (batch, modalities, k, j, i), as :func:`without_missing` gives it.
            present: Which modalities count, (batch, modalities) bool.
        """
        maps = [self._of(self.stems, number)(volume[:, number : number + 1]) for number in range(self.modalities)]
        weights = self._weights(maps, present)
        total = maps[0] * weights[:, 0:1]
        for number, features in enumerate(maps[1:], start=1):
            total = torch.addcmul(total, features, weights[:, number : number + 1])
        return total

    def keep_some(self, present: Tensor) -> Tensor:
        """``present`` with modalities left out at random by torch's generator; of those of a sample one always stays.

        In evaluation nothing is left out.
        """
        if not self.training or not self.dropout:
            return present
        drawn = torch.rand(present.shape, device=present.device)
        luckiest = drawn.masked_fill(~present, -1).argmax(dim=1, keepdim=True)
        stays = (drawn >= self.dropout).scatter(1, luckiest, True)
        return present & stays

    def _weights(self, maps: list[Tensor], present: Tensor) -> Tensor:
        """Weights (batch, modalities, k, j, i) that sum to 1 over those present, and are 0 for the others."""
        there = present[:, :, None, None, None]
        if self.scores is None:
            return there.to(maps[0].dtype) / there.sum(1, keepdim=True).clamp_min(1)
        scores = torch.cat([self._of(self.scores, number)(features) for number, features in enumerate(maps)], dim=1)
        scores = scores.masked_fill(~there, torch.finfo(scores.dtype).min)
        return torch.softmax(scores, dim=1) * there.to(scores.dtype)

    @staticmethod
    def _of(modules: nn.ModuleList, number: int) -> nn.Module:
        return modules[number if len(modules) > 1 else 0]


def modalities_present(volume: Tensor) -> Tensor:
    """Which channels of (batch, modalities, k, j, i) hold anything but zeros: (batch, modalities) bool.

    A run shows an optional scan that is missing as zeros, after normalisation.
    """
    return (volume != 0).flatten(2).any(dim=2)


def without_missing(volume: Tensor, present: Tensor) -> Tensor:
    """The volume with exact zeros, whatever it held there, in every channel that is not present."""
    return torch.where(present[:, :, None, None, None], volume, torch.zeros((), dtype=volume.dtype).to(volume.device))
