"""A feature pyramid over the decoder: every scale says what it sees (Lin et al. 2017, *Feature pyramid networks*).

Each map becomes logits by a 1x1x1 convolution; from the coarsest on they are doubled and joined by the next finer ones.
Classes are the pyramid's channels, so it costs next to nothing, and each scale can be supervised by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

from torch import Tensor, nn

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.networks.axis_products import doubled
from MedSegAI.Logic.networks.convolution_blocks import OutputBlock


class PyramidKind(str, Enum):
    """What becomes of the decoder's coarser maps."""

    SUM = "sum"
    """Their logits are brought to full resolution and added to those of the finest map."""


class FeaturePyramid(nn.Module):
    """Logits of decoder maps that double from one to the next, summed; adds exactly zero at its start.

    Args:
        channels: Channels of each map, the coarsest first.
        classes: Channels of the logits.
    """

    def __init__(self, channels: Sequence[int], classes: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(OutputBlock(width, classes) for width in channels)
        for head in self.heads:
            nn.init.zeros_(head.conv.conv.weight)
            nn.init.zeros_(head.conv.conv.bias)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Logits (batch, classes, 2k, 2j, 2i) at twice the resolution of the last map.

        Args:
            maps: (batch, channels, k, j, i), the coarsest first, each of twice the resolution of the one before.

        Raises:
            InputError: if the maps do not double or are not as many as the pyramid has scales.
        """
        _check(maps, len(self.heads))
        total = None
        for logits in self.scale_logits(maps):
            total = doubled(logits if total is None else logits + total)
        return total

    def scale_logits(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Logits of each map alone at its own resolution, the coarsest first: what deep supervision compares."""
        return [head(features) for head, features in zip(self.heads, maps, strict=True)]


def _check(maps: Sequence[Tensor], scales: int) -> None:
    shapes = [tuple(features.shape[2:]) for features in maps]
    doubles = all(tuple(2 * side for side in a) == b for a, b in pairwise(shapes))
    if len(maps) != scales or not doubles:
        raise InputError(
            f"The feature pyramid cannot take maps of {', '.join(map(str, shapes))} voxels.",
            advice=f"Give {scales} maps, the coarsest first, each twice as large as the one before.",
        )
