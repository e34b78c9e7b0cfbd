"""A network that is told where its window was clicked: a second channel that is bright in the middle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from MedSegAI.Logic.models.weights import build_network


class ClickChannel(nn.Module):
    """Any network of one channel more than the image has, the last being a Gaussian at the middle of the window.

    The window is cut so that the click is its middle, so the channel is the same for every window and scans need
    nothing added.

    Args:
        network: Name of the network inside, as a card names it.
        arguments: Its constructor's arguments; ``in_channels`` counts the added channel.
        sigma_voxels: Standard deviation of the Gaussian.

    Raises ModelError when the network inside cannot be built.
    """

    def __init__(self, network: str, arguments: Mapping[str, Any], *, sigma_voxels: float = 6.0) -> None:
        super().__init__()
        self.sigma_voxels = sigma_voxels
        self.inside = build_network(network, arguments)

    def forward(self, volume: Tensor) -> Tensor:
        """Logits (batch, classes, k, j, i) for a volume (batch, channels, k, j, i)."""
        bright = self._bright(volume).expand(volume.shape[0], 1, *volume.shape[2:])
        return self.inside(torch.cat([volume, bright], dim=1))

    def _bright(self, volume: Tensor) -> Tensor:
        bright = volume.new_ones(())
        for side in volume.shape[2:]:
            from_middle = torch.arange(side, device=volume.device, dtype=volume.dtype) - (side - 1) / 2
            bright = bright[..., None] * torch.exp(-(from_middle**2) / (2 * self.sigma_voxels**2))
        return bright
