"""The residual convolution block on the CPU in one piece: fewer tensors written, kept and read again.

Values are those of convolution, instance norm (epsilon 1e-5, no affine part) and leaky ReLU one after another, float32.
Tensors are channels-last, for which the convolutions are up to twice as fast. Elementwise passes go in pieces that the
cache holds. What the backward pass needs is recovered from the block's outputs, since a leaky ReLU can be inverted
(Rota Bulo et al. 2018, *In-place activated batchnorm*): nothing between convolution and activation is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

SLOPE = 0.01
EPSILON = 1e-5
# Floats that an elementwise pass works on at a time and a thread: half a megabyte.
AT_A_TIME = 1 << 17
# Up to so many voxels a convolution is one matrix product.
FEW_POSITIONS = 64


def residual_block(
    inputs: Tensor, first: Tensor, second: Tensor, third: Tensor | None
) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """``act(norm(conv(act(norm(conv(x))))) + shortcut)``; the shortcut is ``x``, or its projection.

    ``inputs`` is (batch, channels, k, j, i), channels-last. Weights are (out, in, 3, 3, 3); the third, of the
    projection, is (out, in, 1, 1, 1) or None. Returns the output, and what its gradient needs besides.
    """
    hidden = _convolve(inputs, first)
    first_scale = _centre(hidden)
    wide = _wide(hidden)
    for piece in _pieces(wide):
        F.leaky_relu_(wide[piece].mul_(first_scale[piece[0]]), SLOPE)
    output = _convolve(hidden, second)
    second_scale = _centre(output)
    shortcut, third_scale = inputs, None
    if third is not None:
        shortcut = F.linear(inputs.permute(0, 2, 3, 4, 1), third.flatten(1)).permute(0, 4, 1, 2, 3)
        third_scale = _centre(shortcut)
    out, short = _wide(output), _wide(shortcut)
    for piece in _pieces(out):
        if third_scale is not None:
            short[piece].mul_(third_scale[piece[0]])
        F.leaky_relu_(out[piece].mul_(second_scale[piece[0]]).add_(short[piece]), SLOPE)
    return output, (hidden, shortcut, first_scale, second_scale, third_scale)


class ResidualBlockFunction(torch.autograd.Function):
    """:func:`residual_block` with a gradient, to be differentiated once."""

    @staticmethod
    def forward(ctx: FunctionCtx, inputs: Tensor, first: Tensor, second: Tensor, third: Tensor | None) -> Tensor:
        """As :func:`residual_block`."""
        output, (hidden, shortcut, *scales) = residual_block(inputs, first, second, third)
        ctx.save_for_backward(inputs, first, second, third, output)
        ctx.hidden, ctx.scales = hidden, scales
        ctx.shortcut = None if third is None else shortcut
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the inputs and of the three weights."""
        inputs, first, second, third, output = ctx.saved_tensors
        first_scale, second_scale, third_scale = ctx.scales
        shortcut = inputs if third is None else ctx.shortcut
        outer = torch.empty_like(output)
        sums = _activation_gradient(gradient.contiguous(memory_format=torch.channels_last_3d), output, outer, shortcut)
        main = _norm_gradient(outer, output, sums[:2], second_scale, shortcut=shortcut)
        wanted = ctx.needs_input_grad
        for_hidden, for_second = _convolution_gradient(main, ctx.hidden, second, (True, wanted[2]))
        if third is not None:
            _norm_gradient(outer, shortcut, sums[::2], third_scale, slope=1.0, out=outer)
        sums = _activation_gradient(for_hidden, ctx.hidden, for_hidden)
        _norm_gradient(for_hidden, ctx.hidden, sums, first_scale, out=for_hidden)
        for_inputs, for_first = _convolution_gradient(for_hidden, inputs, first, wanted[:2])
        for_third = None
        if wanted[3]:
            for_third = torch.matmul(_rows(outer).transpose(1, 2), _rows(inputs)).sum(0).view_as(third)
        if wanted[0] and third is not None:
            for sample_inputs, sample_outer in zip(_rows(for_inputs), _rows(outer), strict=True):
                sample_inputs.addmm_(sample_outer, third.flatten(1))
        elif wanted[0]:
            for_inputs.add_(outer)
        return for_inputs, for_first, for_second, for_third


def _activation_gradient(gradient: Tensor, output: Tensor, out: Tensor, shortcut: Tensor | None = None) -> list[Tensor]:
    """Gradient before the activation into ``out``; returns its means over positions, as the norms need them.

    The means are of the gradient alone, times what was normalised, and times the ``shortcut`` where there is one.
    """
    wide_gradient, wide_output, wide = _wide(gradient), _wide(output), _wide(out)
    sums = [torch.zeros_like(wide[:, 0]) for _ in range(2 if shortcut is None else 3)]
    for piece in _pieces(wide):
        inner, given = wide[piece], wide_output[piece]
        torch.ops.aten.leaky_relu_backward.grad_input(wide_gradient[piece], given, SLOPE, True, grad_input=inner)
        normal = F.leaky_relu(given, 1 / SLOPE)
        if shortcut is not None:
            short = _wide(shortcut)[piece]
            normal -= short
            sums[2][piece[0]] += (short * inner).sum(0)
        sums[0][piece[0]] += inner.sum(0)
        sums[1][piece[0]] += normal.mul_(inner).sum(0)
    return [_over_positions(total, out) for total in sums]


def _norm_gradient(
    gradient: Tensor,
    output: Tensor,
    means: list[Tensor],
    scale: Tensor,
    *,
    shortcut: Tensor | None = None,
    slope: float = SLOPE,
    out: Tensor | None = None,
) -> Tensor:
    """Gradient before the norm, given that after it with its means, alone and times what was normalised.

    What was normalised is ``output`` before an activation of ``slope``, less the ``shortcut`` where there is one.
    """
    mean, slant = means
    result = torch.empty_like(gradient) if out is None else out
    wide_gradient, wide_output, wide = _wide(gradient), _wide(output), _wide(result)
    for piece in _pieces(wide):
        sample = piece[0]
        normal = F.leaky_relu(wide_output[piece], 1 / slope)
        if shortcut is not None:
            normal -= _wide(shortcut)[piece]
        normal.mul_(slant[sample]).add_(mean[sample])
        torch.sub(wide_gradient[piece], normal, out=wide[piece]).mul_(scale[sample])
    return result


def _convolution_gradient(
    gradient: Tensor, inputs: Tensor, weight: Tensor, wanted: tuple[bool, bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients of the inputs and of the weight of a 3x3x3 convolution, each where ``wanted``."""
    for_inputs = _convolve(gradient, weight.flip(2, 3, 4).transpose(0, 1)) if wanted[0] else None
    if not wanted[1]:
        return for_inputs, None
    layout = weight.clone(memory_format=torch.channels_last_3d)
    for_weight = torch.ops.aten.convolution_backward(
        gradient, inputs, layout, None, [1] * 3, [1] * 3, [1] * 3, False, [0] * 3, 1, [False, True, False]
    )[1]
    return for_inputs, for_weight.contiguous()


def _centre(tensor: Tensor) -> Tensor:
    """Subtract each channel's mean over positions in place; returns what then scales to unit variance."""
    wide = _wide(tensor)
    mean = _over_positions(wide.sum(1), tensor)
    squares = torch.zeros_like(mean)
    for piece in _pieces(wide):
        part = wide[piece].sub_(mean[piece[0]])
        squares[piece[0]] += (part * part).sum(0)
    return _over_positions(squares, tensor).add_(EPSILON).rsqrt_()


def _over_positions(sums: Tensor, tensor: Tensor) -> Tensor:
    """Means over all positions from ``sums`` (batch, wide channels) over the rows of the wide view; same shape."""
    channels = tensor.shape[1]
    tile = sums.shape[1] // channels
    total = sums.view(-1, tile, channels).sum(1) / math.prod(tensor.shape[2:])
    return total.repeat(1, tile)


def _rows(tensor: Tensor) -> Tensor:
    """View a channels-last tensor as (batch, positions, channels)."""
    return tensor.permute(0, 2, 3, 4, 1).view(tensor.shape[0], -1, tensor.shape[1])


def _wide(tensor: Tensor) -> Tensor:
    """View as (batch, rows, several positions times channels): long rows, for which elementwise loops are fast."""
    positions = math.prod(tensor.shape[2:])
    tile = math.gcd(positions, 64)
    return tensor.permute(0, 2, 3, 4, 1).view(tensor.shape[0], positions // tile, tile * tensor.shape[1])


def _pieces(wide: Tensor) -> Iterator[tuple[int, slice]]:
    """Sample and rows of the pieces of a wide view."""
    batch, rows, width = wide.shape
    step = max(1, AT_A_TIME * torch.get_num_threads() // width)
    for sample in range(batch):
        for start in range(0, rows, step):
            yield sample, slice(start, start + step)


def _convolve(inputs: Tensor, weight: Tensor) -> Tensor:
    """3x3x3 convolution, channels-last in and out."""
    if inputs.shape[0] * math.prod(inputs.shape[2:]) <= FEW_POSITIONS:
        return _convolve_few(inputs, weight)
    # Cloned, not made contiguous: with one channel both layouts look alike, and the result follows the strides.
    weight = weight.clone(memory_format=torch.channels_last_3d)
    if torch.backends.mkldnn.is_available():
        # Called by name, since the usual entry falls back to a slow kernel for small inputs.
        return torch.mkldnn_convolution(inputs, weight, None, [1] * 3, [1] * 3, [1] * 3, 1)
    return F.conv3d(inputs, weight, padding=1).contiguous(memory_format=torch.channels_last_3d)


def _convolve_few(inputs: Tensor, weight: Tensor) -> Tensor:
    """The same as one matrix product: with few positions, to bring the weights in order would take most of the time."""
    neighbours = F.pad(inputs.permute(0, 2, 3, 4, 1), (0, 0, 1, 1, 1, 1, 1, 1))
    neighbours = neighbours.unfold(1, 3, 1).unfold(2, 3, 1).unfold(3, 3, 1)
    return F.linear(neighbours.flatten(4), weight.flatten(1)).permute(0, 4, 1, 2, 3)
