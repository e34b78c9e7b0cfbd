"""The finest level of a Swin-UNETR without gradients: first encoder, last decoder and logits in machine code.

Most of a small network's time goes here, into convolutions of few channels at full resolution. Values are those of the
modules within float32's rounding: variances are summed about a mean of some rows, so nothing is lost far from zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from MedSegAI.Logic.networks import row_code, row_code_between
from MedSegAI.Logic.networks.convolution_blocks import DecoderBlock, EncoderBlock, OutputBlock, ResidualBlock
from MedSegAI.Logic.networks.devices import has_hooks_inside, needs_gradient, runs_plainly_on_cpu
from MedSegAI.Logic.networks.fused_residual import EPSILON, SLOPE
from MedSegAI.Logic.networks.row_code import OUTPUTS_AT_ONCE
from MedSegAI.Logic.networks.row_code_between import PAIRS_AT_ONCE
from MedSegAI.Logic.networks.rows import Rows, over_planes
from MedSegAI.Logic.networks.vector_code import lanes

LONGEST_STEP = 32
"""Rows are a multiple of this long: what is computed together of a row, or of the rows at half of it twice over."""

_ROWS_FOR_A_MEAN = 4

_Summed = Callable[[int, int, int, Tensor, Tensor], None]
"""Computes of the plane, so many planes and of each so many rows; adds to sums what is apart from the shift."""


class SpareMemory:
    """What the last call worked in, kept since to get memory anew costs as much as to fill it; copies start empty."""

    def __init__(self) -> None:
        self._spare: list[_Memory] = []

    def take(self, volume: torch.Size, coarse: torch.Size, width: int) -> _Memory:
        """Memory for shapes (channels, k, j, i), nobody else's until it is given back."""
        try:
            memory = self._spare.pop()
        except IndexError:
            memory = None
        if memory is None or memory.of != (volume, coarse):
            memory = _Memory.of_size(volume, coarse, width)
        return memory

    def give_back(self, memory: _Memory) -> None:
        """Keep it for the next call; one is enough."""
        self._spare[:] = [memory]

    def __reduce__(self) -> tuple:
        return SpareMemory, ()


@dataclass(frozen=True, eq=False)
class FinestLevel:
    """The three modules as one."""

    encoder: EncoderBlock
    decoder: DecoderBlock
    out: OutputBlock
    memory: SpareMemory

    def takes(self, volume: Tensor, coarse: Tensor) -> bool:
        """Whether :meth:`logits` may be asked: plainly on this CPU, without gradients, and nobody watches inside."""
        modules = (self.encoder, self.decoder, self.out)
        blocks = (self.encoder.layer, self.decoder.conv_block)
        weights = [parameter for module in modules for parameter in module.parameters()]
        return (
            lanes() > 0
            and runs_plainly_on_cpu(volume, coarse, *weights)
            and not needs_gradient(volume, coarse, *weights)
            and all(not block.norm1.affine and hasattr(block, "conv3") for block in blocks)
            and self.encoder.layer.conv1.conv.out_channels % OUTPUTS_AT_ONCE == 0
            and volume.shape[-1] % LONGEST_STEP == 0
            and not any(m._forward_hooks or m._forward_pre_hooks or has_hooks_inside(m) for m in modules)
        )

    def logits(self, volume: Tensor, coarse: Tensor) -> Tensor:
        """Logits (batch, labels, k, j, i) of a volume (batch, channels, k, j, i) and the last map, at half of it."""
        found = volume.new_empty(volume.shape[0], self.out.conv.conv.out_channels, *volume.shape[2:])
        width = self.encoder.layer.conv1.conv.out_channels
        memory = self.memory.take(volume.shape[1:], coarse.shape[1:], width)
        for sample in range(volume.shape[0]):
            self._sample(volume[sample], coarse[sample], memory, found[sample])
        self.memory.give_back(memory)
        return found

    def _sample(self, volume: Tensor, coarse: Tensor, memory: _Memory, found: Tensor) -> None:
        width = memory.hidden.channels
        memory.image.inside.copy_(volume)
        memory.coarse.inside.copy_(coarse)
        _residual(self.encoder.layer, memory.image, memory, memory.joined.part(width, width))
        _double(self.decoder.transp_conv.conv.weight, memory.coarse, memory.joined.part(0, width))
        _residual(self.decoder.conv_block, memory.joined, memory, memory.values)
        _logits(self.out, memory.values, found)


@dataclass(frozen=True, eq=False)
class _Memory:
    """What one sample needs; ``of`` says for which shapes (channels, k, j, i) of the volume and of the coarse map."""

    of: tuple[torch.Size, torch.Size]
    image: Rows
    coarse: Rows
    joined: Rows
    hidden: Rows
    values: Rows

    @classmethod
    def of_size(cls, volume: torch.Size, coarse: torch.Size, width: int) -> _Memory:
        shape = tuple(volume[1:])
        return cls(
            (volume, coarse),
            Rows.empty(volume[0], shape),
            Rows.empty(coarse[0], tuple(coarse[1:])),
            Rows.empty(2 * width, shape),
            Rows.empty(width, shape),
            Rows.empty(width, shape),
        )


@dataclass(frozen=True, eq=False)
class _Norm:
    """Means and what scales to unit variance, of each channel, float32."""

    mean: Tensor
    scale: Tensor


def _residual(block: ResidualBlock, source: Rows, memory: _Memory, target: Rows) -> None:
    """The block's output for ``source`` into ``target``."""
    hidden, values = memory.hidden, memory.values
    width, shape = lanes(), source.shape
    norm = _convolve(block.conv1.conv.weight, source, hidden)
    pairs = torch.stack([norm.mean, norm.scale], dim=1)
    over_planes(
        shape[0],
        lambda start, count: row_code.activation(width, SLOPE)(
            *hidden.place(start), pairs.data_ptr(), count, *shape[1:], hidden.channels
        ),
    )
    norm = _convolve(block.conv2.conv.weight, hidden, values)
    weight = block.conv3.conv.weight.flatten(1)
    projected = _projection_norm(weight, source)
    packed = _packed(weight * projected.scale[:, None])
    triples = torch.stack([norm.mean, norm.scale, -projected.mean * projected.scale], dim=1)
    over_planes(
        shape[0],
        lambda start, count: row_code.residual_end(width, SLOPE)(
            *target.place(start),
            *values.place(start),
            *source.place(start),
            packed.data_ptr(),
            triples.data_ptr(),
            count,
            *shape[1:],
            source.channels,
            len(packed),
        ),
    )


def _convolve(weight: Tensor, source: Rows, target: Rows) -> _Norm:
    """3x3x3 convolution of ``source`` into ``target``, and the norm of the result."""
    packed = _packed(weight.flatten(2))

    def run(plane: int, planes: int, rows: int, shift: Tensor, sums: Tensor) -> None:
        row_code.convolution(lanes())(
            *target.place(plane),
            *source.place(plane, border=1),
            packed.data_ptr(),
            shift.data_ptr(),
            sums.data_ptr(),
            sums.stride(0),
            planes,
            rows,
            source.shape[2],
            source.channels,
            len(packed),
        )

    return _normed(run, source.shape, target.channels)


def _projection_norm(weight: Tensor, source: Rows) -> _Norm:
    """The norm of a 1x1x1 convolution of ``source`` by ``weight`` (outputs, inputs)."""
    packed = _packed(weight)

    def run(plane: int, planes: int, rows: int, shift: Tensor, sums: Tensor) -> None:
        row_code.projection_sums(lanes())(
            *source.place(plane),
            packed.data_ptr(),
            shift.data_ptr(),
            sums.data_ptr(),
            sums.stride(0),
            planes,
            rows,
            source.shape[2],
            source.channels,
            len(packed),
        )

    return _normed(run, source.shape, weight.shape[0])


def _normed(run: _Summed, shape: tuple[int, int, int], channels: int) -> _Norm:
    """The norm of what ``run(plane, planes, rows, shift, sums)`` computes and sums up."""
    middle, rows = shape[0] // 2, min(_ROWS_FOR_A_MEAN, shape[1])
    shift, few = torch.zeros(channels), torch.zeros(1, channels, 2, lanes())
    run(middle, 1, rows, shift, few)
    shift = few[0, :, 0].sum(-1) / (rows * shape[2])
    sums = torch.zeros(shape[0], channels, 2, lanes())
    over_planes(shape[0], lambda start, count: run(start, count, shape[1], shift, sums[start:]))
    means = sums.sum((0, 3), dtype=torch.float64) / (shape[0] * shape[1] * shape[2])
    variance = (means[:, 1] - means[:, 0].square()).clamp_(min=0)
    return _Norm((shift + means[:, 0]).float(), (variance + EPSILON).rsqrt().float())


def _packed(weight: Tensor) -> Tensor:
    """(outputs, inputs, ...) as (outputs / 12, inputs, ..., 12)."""
    return weight.unflatten(0, (-1, OUTPUTS_AT_ONCE)).movedim(1, -1).contiguous()


def _double(weight: Tensor, source: Rows, target: Rows) -> None:
    """Transposed convolution by ``weight`` (inputs, outputs, 2, 2, 2)."""
    packed = weight.unflatten(1, (-1, PAIRS_AT_ONCE)).permute(3, 4, 1, 0, 2, 5).contiguous()
    over_planes(
        source.shape[0],
        lambda start, count: row_code_between.doubling(lanes())(
            *target.place(2 * start),
            *source.place(start),
            packed.data_ptr(),
            count,
            *source.shape[1:],
            source.channels,
            packed.shape[2],
        ),
    )


def _logits(out: OutputBlock, source: Rows, found: Tensor) -> None:
    """Into ``found`` (labels, k, j, i)."""
    weight = out.conv.conv.weight.flatten(1).contiguous()
    over_planes(
        source.shape[0],
        lambda start, count: row_code_between.logits(lanes())(
            found[:, start].data_ptr(),
            found.stride(1),
            found.stride(2),
            found.stride(0),
            *source.place(start),
            weight.data_ptr(),
            out.conv.conv.bias.data_ptr(),
            count,
            *source.shape[1:],
            source.channels,
            len(weight),
        ),
    )
