"""One answer from several networks, each shown the image and its mirror images: what they say is averaged."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

AS_IT_IS: tuple[int, ...] = ()
LEFT_RIGHT: tuple[tuple[int, ...], ...] = (AS_IT_IS, (-1,))
"""The image as it is, and with left and right (the i axis) exchanged."""
_SMALLEST = 1e-12


def mean_probabilities(
    networks: Sequence[nn.Module],
    images: Tensor,
    *,
    mirrorings: Sequence[tuple[int, ...]] = LEFT_RIGHT,
    temperature: float = 1.0,
) -> Tensor:
    """The mean of the softmax of every network over every mirror image, each answer mirrored back.

    Right only for labels that mean the same on both sides of the mirror.

    Args:
        networks: At least one, each in evaluation mode; (batch, channels, k, j, i) in, (batch, classes, k, j, i) out.
        images: (batch, channels, k, j, i) float32.
        mirrorings: Axes that are mirrored together, counted from the end: ``()`` for the image as it is, ``(-1,)`` for
            left and right exchanged.
        temperature: Logits are divided by it before the softmax; above 1 softens the answers.

    Returns:
        (batch, classes, k, j, i) float32, adding up to 1 over the classes.
    """
    total: Tensor | None = None
    for axes in mirrorings:
        shown = images.flip(axes) if axes else images
        for network in networks:
            said = torch.softmax(network(shown) / temperature, dim=1)
            said = said.flip(axes) if axes else said
            total = said if total is None else total + said
    return total / (len(networks) * len(mirrorings))


class AveragedNetwork(nn.Module):
    """Several networks, or one over several mirror images, used like a single network.

    Costs one forward pass for each network and mirror image. Its logits are the logarithms of
    :func:`mean_probabilities`, so their softmax gives the mean back.
    """

    def __init__(self, networks: Sequence[nn.Module], *, mirrorings: Sequence[tuple[int, ...]] = LEFT_RIGHT) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.mirrorings = tuple(mirrorings)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, classes, k, j, i) of images (batch, channels, k, j, i)."""
        return mean_probabilities(self.networks, images, mirrorings=self.mirrorings).clamp_min(_SMALLEST).log()
