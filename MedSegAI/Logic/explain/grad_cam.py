"""Grad-CAM++ in 3D: which places of a layer drove a label, for a whole volume of any size.

Chattopadhay et al. 2018, *Grad-CAM++: Generalized Gradient-based Visual Explanations for Deep Convolutional Networks*,
WACV; for segmentation the score is summed over the label's own voxels, as in Vinogradova et al. 2020, *Towards
Interpretable Semantic Segmentation via Gradient-weighted Class Activation Mapping*, AAAI.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from MedSegAI.Logic.errors import LabelError, ModelError
from MedSegAI.Logic.explain.layers import activations_and_logits
from MedSegAI.Logic.inference.windows import cut_window, gaussian_weights, overlap_of_window, window_starts
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled


class ChannelWeights(str, Enum):
    """How much each channel of the layer counts."""

    GRAD_CAM_PLUS_PLUS = "grad-cam++"
    """Positive gradients, each weighted by its alpha (Chattopadhay et al. 2018)."""

    GRAD_CAM = "grad-cam"
    """The plain mean of the gradients (Selvaraju et al. 2017)."""


def explain_array(
    image: np.ndarray,
    mask: np.ndarray,
    network: nn.Module,
    *,
    label: int,
    layer: str,
    window: Sequence[int],
    overlap: float,
    reporter: Reporter,
    channel_weights: ChannelWeights = ChannelWeights.GRAD_CAM_PLUS_PLUS,
    fill: float = 0.0,
) -> np.ndarray:
    """The heat map of one label over an image of any size.

    The windows are those of the segmentation; only those that hold the label are run. Their raw maps are averaged with
    the segmentation's Gaussian weights and scaled once for the volume, so windows stay comparable.

    Args:
        image: (channels, k, j, i) in model space, normalised; may be memory-mapped.
        mask: (k, j, i) bool: the voxels whose logits are explained, usually the label as it was segmented.
        network: Gives logits (n, classes, k, j, i); it is left as it was, on the device it is on.
        label: The network's class, 1 for the first label.
        layer: Name of a layer, as ``network.named_modules()`` has it.
        window: Extent (k, j, i) of a window in voxels.
        overlap: Smallest fraction that neighbouring windows share, 0 <= overlap < 1.
        reporter: Told done/total after each window; asked between windows whether to stop.
        channel_weights: Grad-CAM++, or plain Grad-CAM.
        fill: Value of voxels outside an image that is smaller than the window.

    Returns:
        (k, j, i) float32, 0 to 1, 1 at the volume's strongest place; 0 where no window held the label. All 0 where
        nothing in the layer speaks for the label.

    Raises:
        LabelError: if the mask is empty.
        ModelError: if there is no such layer, or it does not give feature maps.
        Cancelled: if the user asked to stop.
    """
    shape = image.shape[1:]
    starts = [
        start
        for start in window_starts(shape, window, overlap=overlap)
        if np.any(mask[overlap_of_window(start, window, shape)[0]])
    ]
    if not starts:
        raise LabelError(
            "There is nothing to explain: the segmentation has no voxel of this label.",
            advice="Choose a label that was found.",
        )
    weights = gaussian_weights(window)
    total = np.zeros(shape, dtype=np.float32)
    weight_sum = np.zeros(shape, dtype=np.float32)
    for done, start in enumerate(starts, start=1):
        raise_if_cancelled(reporter)
        local = cut_window(image, start, window, fill=fill)
        inside = cut_window(mask[None], start, window)[0] > 0
        raw = explain_window(network, local, inside, label=label, layer=layer, channel_weights=channel_weights)
        in_volume, in_window = overlap_of_window(start, window, shape)
        total[in_volume] += (raw * weights)[in_window]
        weight_sum[in_volume] += weights[in_window]
        reporter.progress(done, len(starts), "explaining")
    np.divide(total, weight_sum, out=total, where=weight_sum > 0)
    strongest = float(total.max())
    return total / strongest if strongest > 0 else total


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
    score = logits[0, label][inside].sum() / voxels
    (gradient,) = torch.autograd.grad(score, features)
    with torch.no_grad():
        weighted = class_activation_map(features.detach()[0], gradient[0], channel_weights=channel_weights) * voxels
        full = functional.interpolate(weighted[None, None], size=window.shape[1:], mode="trilinear")
    return full[0, 0].clamp_max(torch.finfo(torch.float32).max).float().cpu().numpy()


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
        (k, j, i) float64, never negative; 0 where a gradient was not finite.
    """
    gradient = torch.nan_to_num(gradient.double(), nan=0.0, posinf=0.0, neginf=0.0)
    features = torch.nan_to_num(features.double(), nan=0.0, posinf=0.0, neginf=0.0)
    if channel_weights is ChannelWeights.GRAD_CAM:
        weights = gradient.mean(dim=(1, 2, 3))
    else:
        positive = gradient.clamp_min(0)
        features = features.clamp_min(0)
        activation = features.sum(dim=(1, 2, 3), keepdim=True)
        weights = (positive / (2 + positive * activation)).sum(dim=(1, 2, 3))
    return torch.einsum("c,ckji->kji", weights, features).clamp_min(0)
