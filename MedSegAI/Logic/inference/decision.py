"""From a voxel's mean logits to its label and the probability of that label."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from MedSegAI.Logic.models.card import ModelCard


@dataclass(frozen=True)
class Decision:
    """A calibrated decision, see ``Calibration`` in ``Logic/models/calibration.py``.

    Args:
        temperature: Logits are divided by it.
        offsets: Added to each class's divided logit before the largest wins; they do not touch the probabilities.
    """

    temperature: float
    offsets: tuple[float, ...]

    def labels(self, logits: Tensor) -> Tensor:
        """The class (j, i) uint8 of each voxel of a plane of logits (classes, j, i)."""
        offsets = torch.tensor(self.offsets, dtype=logits.dtype, device=logits.device)
        return largest_of(logits / self.temperature + offsets[:, None, None])

    def probability(self, logits: Tensor, chosen: Tensor) -> Tensor:
        """The probability (j, i) of the ``chosen`` classes (j, i), for a plane of logits (classes, j, i)."""
        probabilities = torch.softmax(logits / self.temperature, dim=0)
        return probabilities.gather(0, chosen.long()[None])[0]


def decision_of(card: ModelCard) -> Decision | None:
    """How the model of a card decides; None where its logits are taken as they are."""
    calibration = card.calibration
    return None if calibration is None else Decision(calibration.temperature, calibration.offsets(card.labels))


def largest_of(values: Tensor) -> Tensor:
    """The channel (j, i) uint8 with the largest of ``values`` (channels, j, i); the first of equals."""
    # Plane by plane this is 5 times faster than torch.argmax, which strides over the slowest axis.
    best = values[0].clone()
    winner = torch.zeros_like(best, dtype=torch.uint8)
    for channel in range(1, len(values)):
        winner.masked_fill_(values[channel] > best, channel)
        torch.maximum(best, values[channel], out=best)
    return winner
