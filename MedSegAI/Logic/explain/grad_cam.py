"""Grad-CAM++ in 3D: which places of a layer drove a label, in one window.

Chattopadhay et al. 2018, *Grad-CAM++: Generalized Gradient-based Visual Explanations for Deep Convolutional Networks*,
WACV; for segmentation the score is summed over the label's own voxels, as in Vinogradova et al. 2020, *Towards
Interpretable Semantic Segmentation via Gradient-weighted Class Activation Mapping*, AAAI.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.explain.layers import activations_and_logits

_LARGEST_IN_FLOAT32 = 1e25
_SMALLEST_IN_FLOAT32 = 1e-20
"""Between these no product in a map's formula overflows or vanishes in float32; beyond them float64 is taken."""


class ChannelWeights(str, Enum):
    """How much each channel of the layer counts."""

    GRAD_CAM_PLUS_PLUS = "grad-cam++"
    """Positive gradients, each weighted by its alpha (Chattopadhay et al. 2018)."""

    GRAD_CAM = "grad-cam"
    """The plain mean of the gradients (Selvaraju et al. 2017)."""


def explain_window(
    network: nn.Module,
    window: np.ndarray,
    mask: np.ndarray,
    *,
    label: int,
    layer: str,
    channel_weights: ChannelWeights = ChannelWeights.GRAD_CAM_PLUS_PLUS,
) -> np.ndarray:
    """The raw map of one window, not scaled.

    Args:
        network: Gives logits (1, classes, k, j, i); parameters and mode are left as they were.
        window: (channels, k, j, i) float32.
        mask: (k, j, i) bool: the voxels whose logits are summed.
        label: The network's class.
        layer: Name of a layer that gives feature maps (1, channels, k', j', i').
        channel_weights: Grad-CAM++, or plain Grad-CAM.

    Returns:
        (k, j, i) float32, never negative, always finite; resampled trilinearly from the layer's resolution.

    Raises:
        ModelError: if there is no such layer or class, or the layer does not give feature maps.
    """
    device = next(network.parameters()).device
    features, logits = activations_and_logits(network, torch.as_tensor(window, device=device)[None], layer=layer)
    if not 0 <= label < logits.shape[1]:
        raise ModelError(
            f"The network has no class {label}; its classes run from 0 to {logits.shape[1] - 1}.",
            advice="Choose one of these.",
        )
    inside = torch.as_tensor(mask, device=device)
    voxels = max(int(inside.sum()), 1)
    # The alphas depend on the score's scale, and for a sum over thousands of voxels all of them saturate: a channel
    # then counts however little it matters. So the score is the mean, and the map is scaled back to the sum's.
    of_logits = torch.zeros_like(logits)
    of_logits[0, label] = inside / voxels
    (gradient,) = torch.autograd.grad(logits, features, of_logits)
    with torch.no_grad():
        full = class_activation_map(features.detach()[0], gradient[0], channel_weights=channel_weights) * voxels
        if full.shape != window.shape[1:]:
            full = functional.interpolate(full[None, None], size=window.shape[1:], mode="trilinear")[0, 0]
    return full.clamp_max(torch.finfo(torch.float32).max).float().cpu().numpy()


def class_activation_map(features: Tensor, gradient: Tensor, *, channel_weights: ChannelWeights) -> Tensor:
    """The positive part of the weighted sum of feature maps.

    With A a channel's feature map and g the score's gradient there, Grad-CAM++ weights the channel by the sum of
    alpha * max(g, 0) with alpha = g^2 / (2 g^2 + g^3 sum(A)). Its exponential of the score is a factor common to all
    channels and is left out, so nothing overflows. The derivation assumes A >= 0 (a ReLU), so a leaky layer's small
    negative part is left out, of sum(A) and of the map: for g > 0, the only places that count, alpha =
    1 / (2 + g sum(A)) is then finite and in 0..1/2, and a channel that is hardly ever positive, whose weight can be
    large, cannot extinguish the map. Grad-CAM takes features as they are.

    Args:
        features: (channels, k, j, i).
        gradient: Gradient of the score with respect to ``features``, of the same shape.
        channel_weights: Grad-CAM++, or plain Grad-CAM.

    Returns:
        (k, j, i) float32, or float64 where numbers are so large or small that float32 would not hold the products;
        never negative; 0 where a gradient was not finite.
    """
    if not _float32_suffices(features, gradient):
        gradient = torch.nan_to_num(gradient.double(), nan=0.0, posinf=0.0, neginf=0.0)
        features = torch.nan_to_num(features.double(), nan=0.0, posinf=0.0, neginf=0.0)
    if channel_weights is ChannelWeights.GRAD_CAM:
        weights = gradient.mean(dim=(1, 2, 3))
    else:
        features = features.clamp_min(0)
        activation = features.sum(dim=(1, 2, 3), keepdim=True)
        weights = _sums_of_weighted_gradients(gradient.clamp_min(0), activation)
    return torch.tensordot(weights, features, dims=1).clamp_min(0)


def _sums_of_weighted_gradients(positive: Tensor, activation: Tensor) -> Tensor:
    """The sum over places of alpha * g = g / (2 + g sum(A)) a channel, for gradients that are nowhere negative."""
    return (positive / torch.addcmul(positive.new_tensor(2.0), positive, activation)).sum(dim=(1, 2, 3))


def _float32_suffices(features: Tensor, gradient: Tensor) -> bool:
    """Whether all numbers are float32, finite and of ordinary size; a gradient may be 0 everywhere."""
    if features.dtype != torch.float32 or gradient.dtype != torch.float32:
        return False
    places = features[0].numel()
    largest = float(features.abs().amax()) * places
    steepest = float(gradient.abs().amax()) * places
    # Comparisons with NaN are false.
    moderate = largest < _LARGEST_IN_FLOAT32 and steepest < _LARGEST_IN_FLOAT32
    if not moderate or largest * steepest >= _LARGEST_IN_FLOAT32:
        return False
    return steepest == 0 or (steepest > _SMALLEST_IN_FLOAT32 and largest * steepest > _SMALLEST_IN_FLOAT32)
