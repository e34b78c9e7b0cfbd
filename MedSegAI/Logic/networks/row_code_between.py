"""Machine code over rows of voxels for what lies between residual blocks: doubling the resolution, and the logits."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from MedSegAI.Logic.networks.vector_code import Code, Writer

if TYPE_CHECKING:
    from llvmlite import ir

PAIRS_AT_ONCE = 6
"""Output channels of a doubling that are computed together; weights are packed by so many."""


@cache
def doubling(width: int) -> Code:
    """Transposed convolution of kernel 2 and stride 2; planes, rows and length are those of ``source``.

    Weights are (2 along k, 2 along j, outputs / 6, inputs, 6, 2 along i).
    """
    names = ("target", "target_k", "target_j", "target_c", "source", "source_k", "source_j", "source_c")
    code = Writer(
        "doubling", (*names, "weights", "planes", "rows", "row_length", "inputs", "output_blocks"), width=width
    )
    target, target_k, target_j, target_c, source, source_k, source_j, source_c = code.given(*names)
    weights, planes, rows, length, inputs, blocks = code.given(
        "weights", "planes", "rows", "row_length", "inputs", "output_blocks"
    )
    size = 2 * PAIRS_AT_ONCE

    def vector(
        plane: ir.Value, low_k: ir.Value, row: ir.Value, low_j: ir.Value, block: ir.Value, index: ir.Value
    ) -> None:
        first = code.at(code.floats(source), (plane, source_k), (row, source_j), (index, width))
        side = code.code.add(code.code.mul(low_k, code.number(2)), low_j)
        which = code.code.add(code.code.mul(side, blocks), block)
        packed = code.at(code.floats(weights), (which, code.code.mul(inputs, code.number(size))))

        def channel(number: ir.Value, *sums: ir.Value) -> list[ir.Value]:
            loaded, taps = code.load(code.at(first, (number, source_c))), code.at(packed, (number, size))
            return [code.fused(loaded, code.spread(taps, place), sums[place]) for place in range(size)]

        sums = code.repeat(inputs, channel, *[code.all(0.0)] * size)
        upper_k = code.code.add(code.code.mul(plane, code.number(2)), low_k)
        upper_j = code.code.add(code.code.mul(row, code.number(2)), low_j)
        where = code.at(code.floats(target), (upper_k, target_k), (upper_j, target_j), (index, 2 * width))
        for output in range(PAIRS_AT_ONCE):
            channel_number = code.code.add(code.code.mul(block, code.number(PAIRS_AT_ONCE)), code.number(output))
            here = code.at(where, (channel_number, target_c))
            for half, value in enumerate(code.interleaved(sums[2 * output], sums[2 * output + 1])):
                code.store(value, here, half * width)

    code.nest([planes, 2, rows, 2, blocks, code.code.sdiv(length, code.number(width))], vector)
    return code.compiled()


@cache
def logits(width: int) -> Code:
    """1x1x1 convolution with a bias to a plain volume; weights (labels, channels), biases (labels)."""
    names = ("target", "target_k", "target_j", "target_c", "source", "source_k", "source_j", "source_c")
    code = Writer(
        "logits", (*names, "weights", "biases", "planes", "rows", "row_length", "channels", "labels"), width=width
    )
    target, target_k, target_j, target_c, source, source_k, source_j, source_c = code.given(*names)
    weights, biases, planes, rows, length, channels, labels = code.given(
        "weights", "biases", "planes", "rows", "row_length", "channels", "labels"
    )

    def vector(plane: ir.Value, row: ir.Value, label: ir.Value, index: ir.Value) -> None:
        first = code.at(code.floats(source), (plane, source_k), (row, source_j), (index, width))
        taps = code.at(code.floats(weights), (label, channels))

        def channel(number: ir.Value, total: ir.Value) -> list[ir.Value]:
            return [
                code.fused(code.load(code.at(first, (number, source_c))), code.spread(code.at(taps, number)), total)
            ]

        (total,) = code.repeat(channels, channel, code.spread(code.at(code.floats(biases), label)))
        where = code.at(code.floats(target), (plane, target_k), (row, target_j), (label, target_c), (index, width))
        code.store(total, where)

    code.nest([planes, rows, labels, code.code.sdiv(length, code.number(width))], vector)
    return code.compiled()
