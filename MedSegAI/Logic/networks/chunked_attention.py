"""Exact softmax attention with a bias, computed on the CPU in pieces that stay in the cache.

A 7x7x7 window has 343 tokens and a handful of channels a head: the work is not in the matrix products but in carrying
343 x 343 scores through memory. Here a few (window, head) pairs at a time go through scores, softmax and sum while they
are in the cache, and the backward pass computes the scores again instead of keeping them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

# Floats of scores a thread works on at a time: half a second-level cache of 1 MiB or more.
SCORES_AT_A_TIME = 1 << 17


def attention(qkv: Tensor, bias: Tensor, queries: int) -> Tensor:
    """Attention output (windows, heads, head channels, queries), without gradients.

    ``qkv`` is (windows, keys, 3, heads, head channels), float32; the first ``queries`` of the keys ask. ``bias``
    (heads, queries, keys) is added to the scaled scores of every window.
    """
    windows, keys, _, heads, channels = qkv.shape
    query, key, value = qkv.permute(2, 0, 3, 1, 4)
    output = qkv.new_empty(windows, heads, channels, queries)
    scores, weights = _buffers(qkv, windows, heads, queries, keys)
    for pair, part in _pairs(windows, heads, queries * keys):
        size = output[pair].shape[0]
        _weights(query[pair][:, :queries], key[pair], bias[part], scores[:size], weights[:size])
        # The transposed product keeps the long axis of tokens last, several times faster for few channels.
        torch.bmm(value[pair].transpose(1, 2), weights[:size].transpose(1, 2), out=output[pair])
    return output


def attention_gradient(gradient: Tensor, qkv: Tensor, bias: Tensor, bias_gradient: Tensor) -> Tensor:
    """Gradient (windows, 3, heads, head channels, keys) for ``qkv``; the bias's is added to ``bias_gradient``.

    ``gradient`` is (windows, queries, heads, head channels); the rest as in :func:`attention`.
    """
    windows, keys, _, heads, channels = qkv.shape
    queries = gradient.shape[1]
    query, key, value = qkv.permute(2, 0, 3, 1, 4)
    gradient = gradient.permute(0, 2, 1, 3)
    result = qkv.new_empty(windows, 3, heads, channels, keys)
    for_query, for_key, for_value = result.permute(1, 0, 2, 3, 4)
    if keys > queries:
        for_query[..., queries:] = 0
    scores, weights = _buffers(qkv, windows, heads, queries, keys)
    for pair, part in _pairs(windows, heads, queries * keys):
        size = gradient[pair].shape[0]
        _weights(query[pair][:, :queries], key[pair], bias[part], scores[:size], weights[:size])
        outer = gradient[pair]
        for_value[pair] = torch.bmm(outer.transpose(1, 2), weights[:size])
        torch.bmm(outer, value[pair].transpose(1, 2), out=scores[:size])
        inner = torch._softmax_backward_data(scores[:size], weights[:size], -1, torch.float32)
        if isinstance(part, slice):
            bias_gradient[part] += inner
        else:
            bias_gradient[part] += inner.sum(0)
        for_query[pair][..., :queries] = torch.bmm(key[pair].transpose(1, 2), inner.transpose(1, 2))
        for_key[pair] = torch.bmm(query[pair][:, :queries].transpose(1, 2), inner)
    result[:, :2] *= channels**-0.5
    return result


def _weights(query: Tensor, key: Tensor, bias: Tensor, scores: Tensor, weights: Tensor) -> None:
    """Softmax of the scores into ``weights``."""
    scale = query.shape[-1] ** -0.5
    torch.baddbmm(bias, query, key.transpose(1, 2), alpha=scale, out=scores)
    torch.softmax(scores, dim=-1, out=weights)


def _at_a_time(windows: int, heads: int, size: int) -> tuple[int, int]:
    """How many windows, or else how many heads of one window, are computed together."""
    room = max(1, SCORES_AT_A_TIME * torch.get_num_threads() // size)
    return (1, min(room, heads)) if heads >= min(room, windows) else (min(room, windows), 1)


def _pairs(windows: int, heads: int, size: int) -> Iterator[tuple[tuple, slice | int]]:
    """Index of the (window, head) pairs of each piece, and of their bias."""
    many, few = _at_a_time(windows, heads, size)
    if many == 1:
        for window in range(windows):
            for start in range(0, heads, few):
                part = slice(start, min(start + few, heads))
                yield (window, part), part
    else:
        for head in range(heads):
            for start in range(0, windows, many):
                yield (slice(start, min(start + many, windows)), head), head


def _buffers(like: Tensor, windows: int, heads: int, queries: int, keys: int) -> tuple[Tensor, Tensor]:
    size = math.prod(_at_a_time(windows, heads, queries * keys))
    return like.new_empty(size, queries, keys), like.new_empty(size, queries, keys)
