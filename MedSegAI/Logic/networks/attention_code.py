"""Exact softmax attention with a bias as machine code, for many windows of some hundred tokens and few channels a head.

A vector is neighbouring queries; keys come one after the other. Of the scores one vector a key is kept, which the
fastest cache holds, so nothing of windows x tokens x tokens is ever written to memory.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from MedSegAI.Logic.networks.rows import over_planes
from MedSegAI.Logic.networks.vector_code import Code, Writer, lanes

if TYPE_CHECKING:
    from llvmlite import ir

MOST_CHANNELS = 16
"""Channels a head for which queries and outputs fit into the registers."""


@cache
def attention_code(width: int, channels: int) -> Code:
    """Attention of all queries of ``windows`` x ``heads``, ``query_vectors`` vectors of them.

    ``source`` is (windows, 3, heads, channels, length), ``target`` (windows, heads, channels, length), ``bias`` (heads,
    keys, length) times log2(e); ``scratch`` holds a vector a key.
    """
    names = ("target", "source", "bias", "scratch", "windows", "heads", "query_vectors", "keys", "length")
    code = Writer("attention", names, width=width)
    target, source, bias, scratch, windows, heads, query_vectors, keys, length = code.given(*names)
    all_channels = code.code.mul(heads, code.number(channels))
    window_length = code.code.mul(all_channels, length)
    scores = code.floats(scratch)

    def channel(start: ir.Value, number: int) -> ir.Value:
        return code.at(start, (length, number))

    def block(head: ir.Value, window: ir.Value, index: ir.Value) -> None:
        head_length = code.code.mul(length, code.number(channels))
        query_start = code.at(
            code.floats(source), (code.code.mul(window, code.number(3)), window_length), (head, head_length)
        )
        key_start = code.at(query_start, window_length)
        value_start = code.at(key_start, window_length)
        biases = code.at(code.floats(bias), (code.code.mul(head, keys), length), (index, width))
        scale = code.all(math.log2(math.e) / math.sqrt(channels))
        query = [
            code.code.fmul(code.load(code.at(channel(query_start, number), (index, width))), scale)
            for number in range(channels)
        ]

        def score(key: ir.Value, largest: ir.Value) -> list[ir.Value]:
            total = code.load(code.at(biases, (key, length)))
            for number in range(channels):
                total = code.fused(query[number], code.spread(code.at(channel(key_start, number), key)), total)
            code.store(total, code.at(scores, (key, width)))
            return [code.larger(total, largest)]

        (largest,) = code.repeat(keys, score, code.all(-3e38))

        def weigh(key: ir.Value, total: ir.Value, *outputs: ir.Value) -> list[ir.Value]:
            weight = code.power_of_two(code.code.fsub(code.load(code.at(scores, (key, width))), largest))
            values = (code.spread(code.at(channel(value_start, number), key)) for number in range(channels))
            return [
                code.code.fadd(total, weight),
                *(code.fused(weight, value, output) for value, output in zip(values, outputs, strict=True)),
            ]

        total, *outputs = code.repeat(keys, weigh, *[code.all(0.0)] * (1 + channels))
        where = code.at(code.floats(target), (window, window_length), (head, head_length), (index, width))
        share = code.code.fdiv(code.all(1.0), total)
        for number, output in enumerate(outputs):
            code.store(code.code.fmul(output, share), channel(where, number))

    code.nest([heads, windows, query_vectors], block)
    return code.compiled()


def takes(channels: int) -> bool:
    """Whether there is code here for so many channels a head."""
    return lanes() > 0 and channels <= MOST_CHANNELS


def padded_length(tokens: int) -> int:
    """Tokens up to a whole number of vectors."""
    return -(-tokens // lanes()) * lanes()


def packed_bias(bias: Tensor) -> Tensor:
    """A bias (heads, queries, keys) as :func:`attention` takes it."""
    heads, queries, keys = bias.shape
    packed = bias.new_zeros(heads, keys, padded_length(keys))
    packed[..., :queries] = bias.transpose(1, 2) * math.log2(math.e)
    return packed


def unpacked_bias(packed: Tensor, *, queries: int) -> Tensor:
    """The bias (heads, queries, keys) again."""
    return packed[..., :queries].transpose(1, 2) / math.log2(math.e)


def packed_tokens(windows: Tensor, heads: int) -> Tensor:
    """Projections (windows, keys, 3 * channels) as :func:`attention` takes them."""
    count, keys, channels = windows.shape
    packed = windows.new_empty(count, channels, padded_length(keys))
    packed[..., :keys] = windows.transpose(1, 2)
    packed[..., keys:] = 0
    return packed.view(count, 3, heads, channels // 3 // heads, -1)


def attention(qkv: Tensor, bias: Tensor, *, queries: int, keys: int) -> Tensor:
    """Attention output (windows, heads, head channels, length), without gradients; of its length ``queries`` are meant.

    Args:
        qkv: (windows, 3, heads, head channels, length) float32, contiguous; the length is :func:`padded_length` of
            ``keys``, and what follows the keys is finite.
        bias: The :func:`packed_bias`, which is added to the scaled scores of every window.
        queries: The first of the keys, which ask.
        keys: Their number.
    """
    windows, _, heads, channels, length = qkv.shape
    output = qkv.new_empty(windows, heads, channels, length)
    code = attention_code(lanes(), channels)

    def run(start: int, count: int) -> None:
        scratch = torch.empty(keys * lanes())
        code(
            output[start:].data_ptr(),
            qkv[start:].data_ptr(),
            bias.data_ptr(),
            scratch.data_ptr(),
            count,
            heads,
            padded_length(queries) // lanes(),
            keys,
            length,
        )

    over_planes(windows, run)
    return output
