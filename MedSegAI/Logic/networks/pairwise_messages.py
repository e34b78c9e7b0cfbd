"""Messages between all pairs of voxels within a window whose kernel depends on the image: a bilateral filter.

The kernel of voxels p and q = p + d is ``exp(w_d - |f_p - f_q|^2)``, f being the image times a scale a channel. It is
symmetric, so one pass over half of the window's offsets serves both directions. Nothing is kept an offset: the backward
pass computes the kernel again. Volumes are laid out flat, with as many zeros after each row and plane as an offset can
reach beyond it, so that a shift in space is a shift in memory and every operation runs over one long row.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

Triple = tuple[int, int, int]

# Voxels a thread works on at a time: so many that torch's own overhead is small, so few that they stay in the cache.
AT_A_TIME = 1 << 17


def half_window(radius: Triple) -> tuple[Triple, ...]:
    """Offsets (k, j, i) up to ``radius`` along each axis, one of each opposite pair, the centre left out."""
    sides = [range(-reach, reach + 1) for reach in radius]
    return tuple(offset for offset in itertools.product(*sides) if offset > (0, 0, 0))


def pairwise_messages(values: Tensor, image: Tensor, scales: Tensor, log_weights: Tensor, radius: Triple) -> Tensor:
    """Sum over the window around each voxel of kernel times value, the voxel itself left out.

    Args:
        values: (batch, channels, k, j, i) float.
        image: (batch, image channels, k, j, i) of the same type and device.
        scales: What each image channel is multiplied by before voxels are compared, (image channels,).
        log_weights: w of each offset of :func:`half_window`, the same for the opposite one.
        radius: Reach of the window (k, j, i) in voxels; voxels beyond the volume say nothing.

    Returns:
        Messages like ``values``; gradients reach all four tensors, once.
    """
    if torch.jit.is_tracing() or torch.compiler.is_compiling():
        return messages_in_plain_steps(values, image, scales, log_weights, radius)
    return _PairwiseMessages.apply(values, image, scales, log_weights, radius)


def messages_in_plain_steps(
    values: Tensor, image: Tensor, scales: Tensor, log_weights: Tensor, radius: Triple
) -> Tensor:
    """The same by ordinary operations, for tracing and export: slow, and its gradient keeps every kernel."""
    features = image * scales[:, None, None, None]
    margins = [margin for reach in reversed(radius) for margin in (reach, reach)]
    all_values, all_features = F.pad(values, margins), F.pad(features, margins)
    total = torch.zeros_like(values)
    for offset, weight in zip(half_window(radius), log_weights.unbind(), strict=True):
        for sign in (1, -1):
            starts = [reach + sign * step for reach, step in zip(radius, offset)]
            there = (..., *(slice(start, start + side) for start, side in zip(starts, values.shape[2:])))
            unlike = (features - all_features[there]).square().sum(1, keepdim=True)
            total = total + torch.exp(weight - unlike) * all_values[there]
    return total


class _PairwiseMessages(torch.autograd.Function):
    """:func:`pairwise_messages` on any device, to be differentiated once."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, values: Tensor, image: Tensor, scales: Tensor, log_weights: Tensor, radius: Triple
    ) -> Tensor:
        """As :func:`pairwise_messages`."""
        ctx.save_for_backward(values, image, scales, log_weights)
        ctx.radius = radius
        layout = _Layout(tuple(values.shape[2:]), radius)
        given = layout.flat(values)
        total = torch.zeros_like(given)
        kernels = _Kernels(layout.flat(image) * scales[:, None], log_weights)
        for pairs in _pieces(layout, kernels.features):
            kernel, _ = kernels.of(pairs)
            total[pairs.near].addcmul_(kernel, given[pairs.far])
            total[pairs.far].addcmul_(kernel, given[pairs.near])
        return layout.unflat(total)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the values, the image, the scales and the weights; the kernel is computed again."""
        values, image, scales, log_weights = ctx.saved_tensors
        layout = _Layout(tuple(values.shape[2:]), ctx.radius)
        outer, given, seen = layout.flat(gradient), layout.flat(values), layout.flat(image)
        kernels = _Kernels(seen * scales[:, None], log_weights)
        slopes = _Slopes(kernels.features, log_weights, of_image=ctx.needs_input_grad[1])
        for_values = torch.zeros_like(given)
        for pairs in _pieces(layout, kernels.features):
            kernel, difference = kernels.of(pairs)
            near, far = outer[pairs.near], outer[pairs.far]
            for_values[pairs.near].addcmul_(kernel, far)
            for_values[pairs.far].addcmul_(kernel, near)
            if any(ctx.needs_input_grad[1:]):
                products = ((near, given[pairs.far]), (far, given[pairs.near]))
                slopes.add(pairs, kernel, difference, products)
        for_image = None
        if ctx.needs_input_grad[1]:
            for_image = layout.unflat(slopes.features * scales[:, None])
        return layout.unflat(for_values), for_image, slopes.of_scales(seen, scales), slopes.log_weights, None


class _Layout:
    """Where voxels stand when rows and planes lie one after another with a margin of zeros behind each."""

    def __init__(self, shape: Triple, radius: Triple) -> None:
        self.shape = shape
        _, *reach = (min(far, side - 1) for far, side in zip(radius, shape))
        self.padded = (shape[0], shape[1] + reach[0], shape[2] + reach[1])
        plane, row = self.padded[1] * self.padded[2], self.padded[2]
        self.steps = [
            (number, k * plane + j * row + i)
            for number, (k, j, i) in enumerate(half_window(radius))
            if k < shape[0] and abs(j) < shape[1] and abs(i) < shape[2]
        ]
        """Number of each offset that fits into the volume, and how far apart its voxels lie."""

    def flat(self, volume: Tensor) -> Tensor:
        """(batch, channels, k, j, i) as (batch, channels, length)."""
        margins = [0, self.padded[2] - self.shape[2], 0, self.padded[1] - self.shape[1]]
        return F.pad(volume, margins).contiguous().flatten(2)

    def unflat(self, rows: Tensor) -> Tensor:
        """The voxels of (batch, channels, length), contiguous."""
        return rows.unflatten(2, self.padded)[..., : self.shape[1], : self.shape[2]].contiguous()


class _Pairs:
    """Pairs of voxels at one offset: a stretch of the ``near`` ones, and the ``far`` ones."""

    def __init__(self, samples: slice, start: int, stop: int, number: int, step: int) -> None:
        self.near = (samples, slice(None), slice(start, stop))
        self.far = (samples, slice(None), slice(start + step, stop + step))
        self.number = number
        self.length = stop - start


def _pieces(layout: _Layout, features: Tensor) -> Iterator[_Pairs]:
    """All pairs of the volume, stretch by stretch on the CPU, so that a stretch stays in the cache for all offsets."""
    batch, length = features.shape[0], math.prod(layout.padded)
    together, stretches = [slice(None)], 1
    if features.device.type == "cpu":
        together = [slice(sample, sample + 1) for sample in range(batch)]
        stretches = math.ceil(length / (AT_A_TIME * torch.get_num_threads()))
    stretch = math.ceil(length / stretches)
    for samples in together:
        for start in range(0, length, stretch):
            for number, step in layout.steps:
                stop = min(start + stretch, length - step)
                if start < stop:
                    yield _Pairs(samples, start, stop, number, step)


class _Kernels:
    """The kernel of pairs, in memory that is used again and again: new memory for each would cost more than the sum."""

    def __init__(self, features: Tensor, log_weights: Tensor) -> None:
        self.features = features
        self.log_weights = log_weights.unbind()
        self._difference, self._kernel = _Memory(), _Memory()

    def of(self, pairs: _Pairs) -> tuple[Tensor, Tensor]:
        """Kernel (batch, 1, pairs) and differences (batch, features, pairs), overwritten by the next call."""
        near, far = self.features[pairs.near], self.features[pairs.far]
        difference, kernel = self._difference.like(near), self._kernel.like(near[:, :1])
        torch.sub(near, far, out=difference)
        torch.addcmul(self.log_weights[pairs.number], difference[:, :1], difference[:, :1], value=-1, out=kernel)
        for feature in range(1, near.shape[1]):
            part = difference[:, feature : feature + 1]
            kernel.addcmul_(part, part, value=-1)
        return kernel.exp_(), difference


class _Slopes:
    """Gradients of what the kernel depends on, gathered from pairs."""

    def __init__(self, features: Tensor, log_weights: Tensor, *, of_image: bool) -> None:
        self.features = torch.zeros_like(features) if of_image else None
        self.log_weights = torch.zeros_like(log_weights)
        self._squares = torch.zeros_like(features[0, :, 0])
        self._slope = _Memory()

    def add(
        self, pairs: _Pairs, kernel: Tensor, difference: Tensor, products: tuple[tuple[Tensor, Tensor], ...]
    ) -> None:
        """Add those of pairs, given their kernel, of which the gradient is the sum of ``products`` over the channels.

        ``difference`` is overwritten.
        """
        slope = self._slope.like(kernel)
        parts = [(a[:, c : c + 1], b[:, c : c + 1]) for a, b in products for c in range(a.shape[1])]
        torch.mul(*parts[0], out=slope)
        for left, right in parts[1:]:
            slope.addcmul_(left, right)
        slope.mul_(kernel)
        self.log_weights[pairs.number] += slope.sum()
        if self.features is None:
            self._squares += difference.square_().mul_(slope).sum((0, 2))
            return
        pull = difference.mul_(slope)
        self.features[pairs.near].sub_(pull, alpha=2)
        self.features[pairs.far].add_(pull, alpha=2)

    def of_scales(self, image: Tensor, scales: Tensor) -> Tensor:
        """Gradient of the scales (image channels)."""
        if self.features is None:
            return -2 * self._squares / scales
        return (self.features * image).sum((0, 2))


class _Memory:
    """Room for one tensor after another."""

    def __init__(self) -> None:
        self._room: Tensor | None = None

    def like(self, tensor: Tensor) -> Tensor:
        """Uninitialised (batch, channels, length) like ``tensor``."""
        if self._room is None or self._room.shape[2] < tensor.shape[2]:
            self._room = torch.empty_like(tensor, memory_format=torch.contiguous_format)
        return self._room[..., : tensor.shape[2]]
