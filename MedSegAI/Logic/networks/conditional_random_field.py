"""Refinement of a segmentation by a conditional random field, as a network layer that is trained with the rest.

Krähenbühl and Koltun 2011, *Efficient inference in fully connected CRFs with Gaussian edge potentials*, unrolled as in
Zheng et al. 2015, *Conditional random fields as recurrent neural networks*, within a window around each voxel as in
Teichmann and Cipolla 2018, *Convolutional CRFs*. Within the window nothing is approximated.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.networks.axis_products import along_axes
from MedSegAI.Logic.networks.devices import full_precision
from MedSegAI.Logic.networks.pairwise_messages import half_window, pairwise_messages


class ConditionalRandomField(nn.Module):
    """Mean-field iterations over logits, with a kernel of positions and one of positions and intensities.

    Between voxels p and q, with squared distance D in mm and intensities I, the kernels are

    - smoothness: ``exp(-D / (2 smoothness^2))``
    - likeness: ``exp(-D / (2 reach^2) - sum over channels of (I_p - I_q)^2 / (2 contrast^2))``

    each divided by the sum of its positional part over the whole window, so that its messages are at most 1 whatever
    the bandwidths. An iteration takes the probabilities Q of the last one and gives

        logits' = logits - compatibility @ (sum over kernels of weight * (kernel @ Q))

    where a voxel sends itself nothing. Weights (one a kernel and class), bandwidths and compatibility are trained. All
    weights start at 0 and the compatibility as Potts' (1 for unlike labels), so the layer starts as the identity.

    Args:
        classes: Channels of the logits.
        image_channels: Channels of the image.
        iterations: Number of mean-field iterations.
        radius: Reach of the window in voxels, for all axes or (k, j, i).
        spacing_mm: Distance of voxels (k, j, i).
        smoothness_mm, reach_mm: Initial bandwidths of positions, mm.
        contrast: Initial bandwidth of intensities, in units of the normalised image.

    Raises ModelError when an argument is out of range.
    """

    def __init__(
        self,
        classes: int,
        image_channels: int,
        *,
        iterations: int = 2,
        radius: Sequence[int] | int = 2,
        spacing_mm: Sequence[float] = (1.0, 1.0, 1.0),
        smoothness_mm: float = 1.0,
        reach_mm: float = 2.0,
        contrast: float = 0.5,
    ) -> None:
        super().__init__()
        self.iterations = iterations
        self.radius = (radius,) * 3 if isinstance(radius, int) else tuple(radius)
        self.spacing_mm = tuple(float(step) for step in spacing_mm)
        _check_arguments(iterations, self.radius, (*self.spacing_mm, smoothness_mm, reach_mm, contrast))
        self.weights = nn.Parameter(torch.zeros(2, classes))
        self.compatibility = nn.Parameter(1 - torch.eye(classes))
        self.log_smoothness_mm = nn.Parameter(torch.tensor(math.log(smoothness_mm)))
        self.log_reach_mm = nn.Parameter(torch.tensor(math.log(reach_mm)))
        self.log_contrast = nn.Parameter(torch.full((image_channels,), math.log(contrast)))

    def forward(self, logits: Tensor, image: Tensor) -> Tensor:
        """Refined logits (batch, classes, k, j, i), of the type of the logits.

        Computed in float32 (float64 where it is given), also inside autocast.

        Args:
            logits: (batch, classes, k, j, i).
            image: (batch, image channels, k, j, i), normalised.
        """
        with full_precision(logits):
            dtype = torch.promote_types(logits.dtype, torch.float32)
            return self._refine(logits.to(dtype), image.to(dtype)).to(logits.dtype)

    def _refine(self, logits: Tensor, image: Tensor) -> Tensor:
        smoothing, centre = self._smoothing(logits)
        scales = torch.exp(-self.log_contrast.to(logits.dtype)) / math.sqrt(2)
        log_weights = self._likeness(logits)
        # Weights and compatibility as one matrix (classes, classes) a kernel.
        by_smoothness, by_likeness = (self.compatibility * weight for weight in self.weights.to(logits.dtype).unbind())
        refined = logits
        for _ in range(self.iterations):
            probabilities = torch.softmax(refined, dim=1)
            smoothed = along_axes(probabilities, smoothing)
            alike = pairwise_messages(probabilities, image, scales, log_weights, self.radius)
            refined = _less(logits, by_smoothness, smoothed)
            refined = _less(refined, -centre * by_smoothness, probabilities)
            refined = _less(refined, by_likeness, alike)
        return refined

    def _smoothing(self, logits: Tensor) -> tuple[list[Tensor], Tensor]:
        """The smoothness kernel as a banded matrix an axis, and what it gives the voxel itself."""
        precision = self._precision(self.log_smoothness_mm, logits)
        matrices, centre = [], torch.ones_like(precision)
        for side, reach, step in zip(logits.shape[2:], self.radius, self.spacing_mm):
            places = torch.arange(side, device=logits.device, dtype=logits.dtype)
            apart = places[:, None] - places
            window = step * torch.arange(-reach, reach + 1, device=logits.device, dtype=logits.dtype)
            total = torch.exp(-precision * window.square()).sum()
            band = torch.exp(-precision * (step * apart).square()) * (apart.abs() <= reach)
            matrices.append(band / total)
            centre = centre / total
        return matrices, centre

    def _likeness(self, logits: Tensor) -> Tensor:
        """Logarithm of the positional part of the likeness kernel, an offset of the half window."""
        precision = self._precision(self.log_reach_mm, logits)
        squares = [sum((step * mm) ** 2 for step, mm in zip(o, self.spacing_mm)) for o in half_window(self.radius)]
        distances = torch.tensor(squares, dtype=logits.dtype).to(logits.device)
        log_weights = -precision * distances
        return log_weights - torch.log(1 + 2 * torch.exp(log_weights).sum())

    @staticmethod
    def _precision(log_bandwidth: Tensor, logits: Tensor) -> Tensor:
        return 0.5 * torch.exp(-2 * log_bandwidth.to(logits.dtype))


def _less(logits: Tensor, matrix: Tensor, messages: Tensor) -> Tensor:
    """``logits - matrix @ messages`` over the classes."""
    matrices = matrix.expand(logits.shape[0], -1, -1)
    return torch.baddbmm(logits.flatten(2), matrices, messages.flatten(2), alpha=-1).view_as(logits)


def _check_arguments(iterations: int, radius: tuple[int, ...], positive: tuple[float, ...]) -> None:
    problems = []
    if iterations < 1:
        problems.append(f"iterations is {iterations}, not at least 1")
    if len(radius) != 3 or min(radius) < 0 or max(radius) < 1:
        problems.append(f"radius is {radius}, not three whole numbers from 0, one of them at least 1")
    if len(positive) != 6 or min(positive) <= 0:
        problems.append("spacing_mm must be three positive numbers and every bandwidth positive")
    if problems:
        raise ModelError(
            f"The conditional random field cannot be built: {'; '.join(problems)}.", advice="Correct the model's card."
        )
