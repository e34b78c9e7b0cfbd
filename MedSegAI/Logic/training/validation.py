"""Whole images segmented cheaply while training; the figures of a model come from ``Logic/evaluation``."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from MedSegAI.Logic.inference.windows import cut_window, gaussian_weights, overlap_of_window, window_starts


def predict_labels(
    network: nn.Module, image: np.ndarray, *, window: tuple[int, int, int], overlap: float
) -> np.ndarray:
    """Label values (k, j, i) uint8 of a normalised image (k, j, i) in model space, by Gaussian-weighted windows."""
    starts = window_starts(image.shape, window, overlap=overlap)
    weights = gaussian_weights(window)
    windows = np.stack([cut_window(image[None], start, window) for start in starts])
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    with torch.no_grad():
        logits = network(torch.from_numpy(windows).to(device)).float().cpu().numpy()
    total = np.zeros((logits.shape[1], *image.shape), dtype=np.float32)
    for start, values in zip(starts, logits):
        inside, of_window = overlap_of_window(start, window, image.shape)
        total[(slice(None), *inside)] += (values * weights)[(slice(None), *of_window)]
    return total.argmax(axis=0).astype(np.uint8)
