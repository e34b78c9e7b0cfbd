"""What a residual block does, as machine code over rows of voxels.

Volumes lie in memory as rows (k, j, channel, i), so that a vector is neighbouring voxels of one channel however few
channels there are, and all that a convolution reads for a row lies close together. Arguments named ``x_k``, ``x_j`` and
``x_c`` are the distances in floats between planes, rows and channels of the volume ``x``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from MedSegAI.Logic.networks.vector_code import Code, Writer

if TYPE_CHECKING:
    from llvmlite import ir

OUTPUTS_AT_ONCE = 12
"""Output channels computed together, from each input that is loaded; weights are packed by so many."""

_SOURCE = ("source", "source_k", "source_j", "source_c")
_TARGET = ("target", "target_k", "target_j", "target_c")
_GRID = ("planes", "rows", "row_length")
_SUMS = ("shift", "sums", "sums_k")


@cache
def convolution(width: int) -> Code:
    """3x3x3 convolution from ``source``, which has a border of zeros, and sums of its results.

    ``source`` points to the first input that the first output needs; weights are (outputs / 12, inputs, 27, 12).
    To ``sums`` (planes, outputs, 2, width) are added the results less ``shift`` (outputs), and their squares.
    """
    code = Writer(
        "convolution", (*_TARGET, *_SOURCE, "weights", *_SUMS, *_GRID, "inputs", "output_blocks"), width=width
    )
    weights, inputs, source_k, source_j, source_c = code.given("weights", "inputs", "source_k", "source_j", "source_c")
    vectors = _vectors_at_once(width)

    def block(plane: ir.Value, row: ir.Value, start: ir.Value, outputs: ir.Value) -> None:
        first = code.at(_place(code, "source", plane, row), start)
        packed = code.at(code.floats(weights), (outputs, code.code.mul(inputs, code.number(27 * OUTPUTS_AT_ONCE))))

        def channel(number: ir.Value, *sums: ir.Value) -> list[ir.Value]:
            here, taps = code.at(first, (number, source_c)), code.at(packed, (number, 27 * OUTPUTS_AT_ONCE))

            def along_k(k: ir.Value, *sums: ir.Value) -> list[ir.Value]:
                def along_j(j: ir.Value, *sums: ir.Value) -> list[ir.Value]:
                    line = code.at(here, (k, source_k), (j, source_j))
                    nine = code.at(taps, (k, 9 * OUTPUTS_AT_ONCE), (j, 3 * OUTPUTS_AT_ONCE))
                    for i in range(3):
                        sums = _products(code, _loaded(code, line, i), code.at(nine, i * OUTPUTS_AT_ONCE), sums)
                    return sums

                return code.repeat(3, along_j, *sums)

            return code.repeat(3, along_k, *sums)

        sums = code.repeat(inputs, channel, *[code.all(0.0)] * (OUTPUTS_AT_ONCE * vectors))
        where = code.at(_place(code, "target", plane, row), start)
        _add_to_sums(code, plane, outputs, sums)
        (target_c,) = code.given("target_c")
        for output in range(OUTPUTS_AT_ONCE):
            channel_start = code.at(
                where,
                (code.code.add(code.code.mul(outputs, code.number(OUTPUTS_AT_ONCE)), code.number(output)), target_c),
            )
            for number in range(vectors):
                code.store(sums[output * vectors + number], channel_start, number * width)

    _over_blocks(code, width * vectors, block)
    return code.compiled()


@cache
def projection_sums(width: int) -> Code:
    """The sums of :func:`convolution` for a 1x1x1 convolution kept nowhere; weights (outputs / 12, inputs, 12)."""
    code = Writer("projection_sums", (*_SOURCE, "weights", *_SUMS, *_GRID, "inputs", "output_blocks"), width=width)

    def block(plane: ir.Value, row: ir.Value, start: ir.Value, outputs: ir.Value) -> None:
        sums = [code.all(0.0)] * (OUTPUTS_AT_ONCE * _vectors_at_once(width))
        _add_to_sums(code, plane, outputs, _projection(code, plane, row, start, outputs, sums))

    _over_blocks(code, width * _vectors_at_once(width), block)
    return code.compiled()


@cache
def activation(width: int, slope: float) -> Code:
    """Normalise ``target`` in place by ``norm`` (channels, 2: mean, scale), and leaky ReLU."""
    code = Writer("activation", (*_TARGET, "norm", *_GRID, "channels"), width=width)
    norm, target_c, channels, length = code.given("norm", "target_c", "channels", "row_length")

    def vector(plane: ir.Value, row: ir.Value, channel: ir.Value, index: ir.Value) -> None:
        mean, scale = (code.spread(code.at(code.floats(norm), (channel, 2)), which) for which in range(2))
        here = code.at(_place(code, "target", plane, row), (channel, target_c), (index, width))
        value = code.code.fmul(code.code.fsub(code.load(here), mean), scale)
        code.store(code.leaky(value, slope), here)

    planes, rows = code.given("planes", "rows")
    code.nest([planes, rows, channels, code.code.sdiv(length, code.number(width))], vector)
    return code.compiled()


@cache
def residual_end(width: int, slope: float) -> Code:
    """Leaky ReLU of the normalised ``values`` and of the projected ``source``, added, into ``target``.

    ``weights`` (outputs / 12, inputs, 12) hold the projection's scale, ``norm`` (outputs, 3) mean and scale of the
    values and what is added for the projection's mean. ``target`` may be ``values``.
    """
    names = ("values", "values_k", "values_j", "values_c")
    code = Writer(
        "residual_end", (*_TARGET, *names, *_SOURCE, "weights", "norm", *_GRID, "inputs", "output_blocks"), width=width
    )
    norm, target_c, values_c = code.given("norm", "target_c", "values_c")
    vectors = _vectors_at_once(width)

    def block(plane: ir.Value, row: ir.Value, start: ir.Value, outputs: ir.Value) -> None:
        first = code.code.mul(outputs, code.number(OUTPUTS_AT_ONCE))
        triples = code.at(code.floats(norm), (first, 3))
        sums = [code.spread(triples, 3 * output + 2) for output in range(OUTPUTS_AT_ONCE) for _ in range(vectors)]
        sums = _projection(code, plane, row, start, outputs, sums)
        values, target = (code.at(_place(code, name, plane, row), start) for name in ("values", "target"))
        for output in range(OUTPUTS_AT_ONCE):
            mean, scale = code.spread(triples, 3 * output), code.spread(triples, 3 * output + 1)
            channel = code.code.add(first, code.number(output))
            for number in range(vectors):
                value = code.load(code.at(values, (channel, values_c)), number * width)
                total = code.fused(code.code.fsub(value, mean), scale, sums[output * vectors + number])
                code.store(code.leaky(total, slope), code.at(target, (channel, target_c)), number * width)

    _over_blocks(code, width * vectors, block)
    return code.compiled()


def _vectors_at_once(width: int) -> int:
    """Vectors a row that are computed together: with 12 outputs as many sums as the registers hold."""
    return 2 if width == 16 else 1


def _place(code: Writer, name: str, plane: ir.Value, row: ir.Value) -> ir.Value:
    """Start of a row of the volume ``name``."""
    start, for_k, for_j = code.given(name, f"{name}_k", f"{name}_j")
    return code.at(code.floats(start), (plane, for_k), (row, for_j))


def _over_blocks(code: Writer, step: int, body: Callable[[ir.Value, ir.Value, ir.Value, ir.Value], None]) -> None:
    """``body(plane, row, start in the row, block of outputs)``."""
    planes, rows, length, blocks = code.given("planes", "rows", "row_length", "output_blocks")

    def at_index(plane: ir.Value, row: ir.Value, outputs: ir.Value, index: ir.Value) -> None:
        body(plane, row, code.code.mul(index, code.number(step)), outputs)

    code.nest([planes, rows, blocks, code.code.sdiv(length, code.number(step))], at_index)


def _loaded(code: Writer, line: ir.Value, offset: int = 0) -> list[ir.Value]:
    """The vectors of a row that are computed together."""
    return [code.load(line, offset + number * code.width) for number in range(_vectors_at_once(code.width))]


def _products(code: Writer, inputs: list[ir.Value], taps: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
    """Add to the sums of all outputs the vectors of one input channel times one weight each."""
    sums = list(sums)
    for output in range(OUTPUTS_AT_ONCE):
        weight = code.spread(taps, output)
        for number, value in enumerate(inputs):
            which = output * len(inputs) + number
            sums[which] = code.fused(value, weight, sums[which])
    return sums


def _projection(
    code: Writer, plane: ir.Value, row: ir.Value, start: ir.Value, outputs: ir.Value, sums: list[ir.Value]
) -> list[ir.Value]:
    weights, inputs, source_c = code.given("weights", "inputs", "source_c")
    packed = code.at(code.floats(weights), (outputs, code.code.mul(inputs, code.number(OUTPUTS_AT_ONCE))))
    first = code.at(_place(code, "source", plane, row), start)

    def channel(number: ir.Value, *sums: ir.Value) -> list[ir.Value]:
        taps = code.at(packed, (number, OUTPUTS_AT_ONCE))
        return _products(code, _loaded(code, code.at(first, (number, source_c))), taps, list(sums))

    return code.repeat(inputs, channel, *sums)


def _add_to_sums(code: Writer, plane: ir.Value, outputs: ir.Value, results: list[ir.Value]) -> None:
    """Add the results of all outputs, and their squares, to a plane's sums."""
    shift, sums, sums_k = code.given("shift", "sums", "sums_k")
    first = code.code.mul(outputs, code.number(OUTPUTS_AT_ONCE))
    shifts = code.at(code.floats(shift), first)
    totals = code.at(code.floats(sums), (plane, sums_k), (first, 2 * code.width))
    vectors = _vectors_at_once(code.width)
    for output in range(OUTPUTS_AT_ONCE):
        plain, squares = (2 * output * code.width, (2 * output + 1) * code.width)
        total, square, less = code.load(totals, plain), code.load(totals, squares), code.spread(shifts, output)
        for result in results[output * vectors : (output + 1) * vectors]:
            apart = code.code.fsub(result, less)
            total, square = code.code.fadd(total, apart), code.fused(apart, apart, square)
        code.store(total, totals, plain)
        code.store(square, totals, squares)
