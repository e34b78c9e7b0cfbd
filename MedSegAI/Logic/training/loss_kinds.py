"""The losses that a configuration may choose, each a function of a few sums over voxels.

What a loss is a function of adds up over the parts of a batch, so that parts and processes can share the work of one
loss over the whole batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from MedSegAI.Logic.training.config import LossConfig, TrainingConfig
from MedSegAI.Logic.training.loss import loss_of_sums, loss_sums

_SMOOTHING = 1e-5
_OVER = (0, 2, 3, 4)


@dataclass(frozen=True)
class TrainingLoss:
    """One of ``LOSS_KINDS``.

    Args:
        rules: Which, and its settings.
        background: "included" or "excluded": whether the background counts in the part about whole regions.
    """

    rules: LossConfig
    background: str

    def sums(self, logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The sums (n,) of a part of a batch, with gradient.

        Args:
            logits: (batch, classes, k, j, i) float; taken as float32.
            targets, weights: As in ``dice_cross_entropy``.
        """
        logits = logits.float()
        if self.rules.kind == "dice_ce":
            return loss_sums(logits, targets, background=self.background, weights=weights)
        soft = targets if targets.ndim == logits.ndim else _one_hot(targets, logits)
        counts = torch.ones_like(logits[:, :1]) if weights is None else weights[:, None]
        logarithms = torch.log_softmax(logits, dim=1)
        probabilities = logarithms.exp()
        first = 0 if self.background == "included" else 1
        guessed, wanted = (probabilities * counts)[:, first:], soft[:, first:]
        regions = [(guessed * wanted).sum(_OVER), guessed.sum(_OVER), (wanted * counts).sum(_OVER)]
        gamma = self.rules.focal_gamma if self.rules.kind == "dice_focal" else 0.0
        doubt = (1 - probabilities) ** gamma if gamma else 1.0
        voxels = -(soft * logarithms * doubt * counts).sum()
        return torch.cat([*regions, torch.stack([voxels, counts.sum()])])

    def of_sums(self, sums: Tensor) -> Tensor:
        """The loss, a scalar, of a whole batch's sums."""
        if self.rules.kind == "dice_ce":
            return loss_of_sums(sums)
        shared, guessed, wanted = sums[:-2].view(3, -1)
        return self._regions(shared, guessed, wanted) + sums[-2] / sums[-1].clamp_min(1e-6)

    def _regions(self, shared: Tensor, guessed: Tensor, wanted: Tensor) -> Tensor:
        if self.rules.kind == "generalised_dice_ce":
            return _generalised_dice(shared, guessed, wanted)
        missed = self.rules.missed_weight if self.rules.kind == "tversky_ce" else 0.5
        wrong = missed * (wanted - shared) + (1 - missed) * (guessed - shared)
        smoothing = _SMOOTHING if self.rules.kind == "tversky_ce" else _SMOOTHING / 2
        return (1 - (shared + smoothing) / (shared + wrong + smoothing)).mean()


def loss_of(config: TrainingConfig) -> TrainingLoss:
    """The loss that a configuration names."""
    return TrainingLoss(config.loss, config.dice_background)


def _generalised_dice(shared: Tensor, guessed: Tensor, wanted: Tensor) -> Tensor:
    """Each class weighs the inverse square of its size; one that is nowhere weighs as much as the smallest there is."""
    present = wanted > 0
    importance = torch.where(present, 1 / wanted.clamp_min(1e-6) ** 2, torch.zeros_like(wanted))
    importance = torch.where(present, importance, importance.max())
    numerator = 2 * (importance * shared).sum() + _SMOOTHING
    return 1 - numerator / ((importance * (guessed + wanted)).sum() + _SMOOTHING)


def _one_hot(targets: Tensor, logits: Tensor) -> Tensor:
    return torch.stack([targets == value for value in range(logits.shape[1])], dim=1).to(logits.dtype)
