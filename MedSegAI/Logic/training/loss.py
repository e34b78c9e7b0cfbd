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
    return loss_of_sums(loss_sums(logits, targets, background=background, weights=weights))


def loss_sums(logits: Tensor, targets: Tensor, *, background: str, weights: Tensor | None = None) -> Tensor:
    """The few sums over voxels that the loss is a function of; those of the parts of a batch add up to the batch's.

    Args:
        logits, targets, background, weights: As in :func:`dice_cross_entropy`.

    Returns:
        (2 n + 2,) with gradient, for n classes of the Dice part: what prediction and target share of each class, the
        size of both together, the cross-entropy, and the weight of all voxels.
    """
    wanted = targets if targets.ndim == logits.ndim else _one_hot(targets, logits)
    first = 0 if background == "included" else 1
    counts = torch.ones((), dtype=logits.dtype, device=logits.device) if weights is None else weights[:, None]
    probabilities = torch.softmax(logits, dim=1)[:, first:] * counts
    wanted = wanted[:, first:]
    shared = (probabilities * wanted).sum(_OVER)
    sizes = probabilities.sum(_OVER) + (wanted * counts).sum(_OVER)
    return torch.cat([shared, sizes, _cross_entropy_and_weight(logits, targets, weights)])


def loss_of_sums(sums: Tensor) -> Tensor:
    """The loss, a scalar, of a whole batch's :func:`loss_sums`."""
    shared, sizes = sums[:-2].view(2, -1)
    dice = 1 - (2 * shared + _SMOOTHING) / (sizes + _SMOOTHING)
    return dice.mean() + sums[-2] / sums[-1].clamp_min(1e-6)


def _one_hot(targets: Tensor, logits: Tensor) -> Tensor:
    return torch.stack([targets == value for value in range(logits.shape[1])], dim=1).to(logits.dtype)


def _cross_entropy_and_weight(logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        entropy = functional.cross_entropy(logits, targets, reduction="sum")
        return torch.stack([entropy, entropy.new_tensor(logits[:, 0].numel())])
    each = functional.cross_entropy(logits, targets, reduction="none")
    return torch.stack([(each * weights).sum(), weights.sum()])
