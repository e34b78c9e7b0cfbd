"""The training loss: soft Dice over the whole batch plus cross-entropy."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_SMOOTHING = 1e-5
_OVER = (0, 2, 3, 4)


def dice_cross_entropy(logits: Tensor, targets: Tensor, *, background: str, weights: Tensor | None = None) -> Tensor:
    """Soft Dice loss (Milletari et al. 2016, *V-Net*) plus the mean cross-entropy of all voxels.

    The Dice of a class is taken over all voxels of the batch together, so a patch that lacks the class does not swing
    it, and is averaged over the classes. For label values it equals MONAI's ``DiceCELoss`` with ``softmax``,
    ``to_onehot_y`` and ``batch``. For probabilities the cross-entropy is that of two distributions, and the Dice takes
    their product as what they share.

    Args:
        logits: (batch, classes, k, j, i) float.
        targets: Label values (batch, k, j, i) int64 from 0 (background) to classes - 1, or probabilities
            (batch, classes, k, j, i) float.
        background: "included" or "excluded": whether the background is one of the classes of the Dice part.
        weights: How much each voxel counts, (batch, k, j, i) float; None: all count 1.

    Returns:
        A scalar with gradient.
    """
    wanted = targets if targets.ndim == logits.ndim else _one_hot(targets, logits)
    first = 0 if background == "included" else 1
    counts = torch.ones((), dtype=logits.dtype) if weights is None else weights[:, None]
    probabilities = torch.softmax(logits, dim=1)[:, first:] * counts
    wanted = wanted[:, first:]
    shared = (probabilities * wanted).sum(_OVER)
    sizes = probabilities.sum(_OVER) + (wanted * counts).sum(_OVER)
    dice = 1 - (2 * shared + _SMOOTHING) / (sizes + _SMOOTHING)
    return dice.mean() + _mean_cross_entropy(logits, targets, weights)


def _one_hot(targets: Tensor, logits: Tensor) -> Tensor:
    return torch.stack([targets == value for value in range(logits.shape[1])], dim=1).to(logits.dtype)


def _mean_cross_entropy(logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        return functional.cross_entropy(logits, targets)
    each = functional.cross_entropy(logits, targets, reduction="none")
    return (each * weights).sum() / weights.sum().clamp_min(1e-6)
