"""The training loss: soft Dice over the whole batch plus cross-entropy."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_SMOOTHING = 1e-5


def dice_cross_entropy(logits: Tensor, labels: Tensor, *, background: str) -> Tensor:
    """Soft Dice loss (Milletari et al. 2016, *V-Net*) plus the mean cross-entropy of all voxels.

    The Dice of a class is taken over all voxels of the batch together, so a patch that lacks the class does not swing
    it, and is averaged over the classes. Equal to MONAI's ``DiceCELoss`` with ``softmax``, ``to_onehot_y`` and
    ``batch``.

    Args:
        logits: (batch, classes, k, j, i) float.
        labels: (batch, 1, k, j, i) int64, values 0 (background) to classes - 1.
        background: "included" or "excluded": whether the background is one of the classes of the Dice part.

    Returns:
        A scalar with gradient.
    """
    classes = logits.shape[1]
    target = labels[:, 0]
    cross_entropy = functional.cross_entropy(logits, target)
    first = 0 if background == "included" else 1
    probabilities = torch.softmax(logits, dim=1)[:, first:]
    wanted = torch.stack([target == value for value in range(first, classes)], dim=1).to(probabilities.dtype)
    over = (0, 2, 3, 4)
    shared = (probabilities * wanted).sum(over)
    sizes = probabilities.sum(over) + wanted.sum(over)
    dice = 1 - (2 * shared + _SMOOTHING) / (sizes + _SMOOTHING)
    return dice.mean() + cross_entropy
