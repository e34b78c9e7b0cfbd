"""Attention at skip connections: which channels and which places of the encoder's map the decoder is given.

Channel weights are computed from the means of the map and of its context (squeeze and excitation, Hu et al. 2018); the
gate over places compares both at the context's resolution (attention gates, Oktay et al. 2018); one after the other as
in CBAM (Woo et al. 2018). Both are residual: factors of 0 to 2 that are exactly 1 at the start.
"""

from __future__ import annotations

from enum import Enum

import torch
from torch import Tensor, nn

from MedSegAI.Logic.networks.axis_products import doubled


class FeatureSelection(str, Enum):
    """What attention at a skip connection weights."""

    CHANNELS = "channels"
    """Each channel as a whole."""
    PLACES = "places"
    """Each place, the same for all channels."""
    CHANNELS_AND_PLACES = "channels-and-places"
    """The product of both."""


class DynamicFeatureSelection(nn.Module):
    """Weights the channels and the places of a skip connection by what the decoder has seen so far.

    Args:
        skip_channels: Channels of the map that is weighted.
        context_channels: Channels of the decoder's map, at half the resolution.
        selection: What is weighted.
        reduction: How many times fewer channels the hidden layers have than the map, at least 4.
    """

    def __init__(
        self,
        skip_channels: int,
        context_channels: int,
        *,
        selection: FeatureSelection = FeatureSelection.CHANNELS_AND_PLACES,
        reduction: int = 4,
    ) -> None:
        super().__init__()
        hidden = max(4, skip_channels // reduction)
        self.channels = self.places = None
        if selection is not FeatureSelection.PLACES:
            self.channels = ChannelWeights(skip_channels, context_channels, hidden)
        if selection is not FeatureSelection.CHANNELS:
            self.places = PlaceWeights(skip_channels, context_channels, hidden)

    def forward(self, skip: Tensor, context: Tensor) -> Tensor:
        """The skip connection (batch, channels, 2k, 2j, 2i) weighted by its context (batch, channels, k, j, i)."""
        if self.channels is None:
            return skip * self.places(skip, context)
        weights = self.channels(skip, context)
        if self.places is not None:
            weights = weights * self.places(skip, context)
        return skip * weights


class ChannelWeights(nn.Module):
    """One factor from 0 to 2 a channel, from the means of the map and its context."""

    def __init__(self, skip_channels: int, context_channels: int, hidden: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(skip_channels + context_channels, hidden)
        self.excite = nn.Linear(hidden, skip_channels)
        _start_at_zero(self.excite)

    def forward(self, skip: Tensor, context: Tensor) -> Tensor:
        """(batch, channels, 1, 1, 1)."""
        means = torch.cat([skip.mean((2, 3, 4)), context.mean((2, 3, 4))], dim=1)
        change = torch.tanh(self.excite(torch.relu(self.squeeze(means))))
        return 1 + change[:, :, None, None, None]


class PlaceWeights(nn.Module):
    """One factor from 0 to 2 a place, found at the context's resolution and interpolated."""

    def __init__(self, skip_channels: int, context_channels: int, hidden: int) -> None:
        super().__init__()
        self.of_skip = nn.Conv3d(skip_channels, hidden, 2, stride=2, bias=False)
        self.of_context = nn.Conv3d(context_channels, hidden, 1)
        self.gate = nn.Conv3d(hidden, 1, 1)
        _start_at_zero(self.gate)

    def forward(self, skip: Tensor, context: Tensor) -> Tensor:
        """(batch, 1, 2k, 2j, 2i)."""
        together = torch.relu(self.of_skip(skip) + self.of_context(context))
        return 1 + doubled(torch.tanh(self.gate(together)))


def _start_at_zero(layer: nn.Linear | nn.Conv3d) -> None:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
