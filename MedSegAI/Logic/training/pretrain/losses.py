"""How well a network answers about unlabelled scans.

The tasks are those of Tang et al. 2022, *Self-Supervised Pre-Training of Swin Transformers for 3D Medical Image
Analysis* (CVPR).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def hidden_difference(reconstruction: Tensor, image: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference over the voxels that the network did not see.

    Args:
        reconstruction, image: (views, 1, k, j, i) float.
        mask: (views, 1, k, j, i) bool, True where hidden.
    """
    return (reconstruction - image).abs()[mask].mean()


def contrast(embeddings: Tensor, *, temperature: float) -> Tensor:
    """InfoNCE (NT-Xent of Chen et al. 2020, *SimCLR*): find the other view of a sample among those of all others.

    Args:
        embeddings: (2 * samples, channels) float; views 2 n and 2 n + 1 show the same sample.
        temperature: Cosines are divided by it.

    Returns:
        The mean over all views; the logarithm of (2 * samples - 1) where nothing was learned.
    """
    unit = F.normalize(embeddings, dim=1)
    alike = unit @ unit.T / temperature
    itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    partners = torch.arange(len(unit), device=unit.device) ^ 1
    return F.cross_entropy(alike.masked_fill(itself, float("-inf")), partners)
