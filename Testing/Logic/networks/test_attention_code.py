"""Attention in machine code is softmax attention."""

from __future__ import annotations

import pytest
import torch

from MedSegAI.Logic.networks import attention_code, rows, vector_code

pytestmark = pytest.mark.skipif(not vector_code.lanes(), reason="no machine code can be made here")


def softmax_attention(windows: torch.Tensor, bias: torch.Tensor, heads: int) -> torch.Tensor:
    """(windows, heads, head channels, queries) in double precision."""
    query, key, value = windows.double().unflatten(2, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    scores = query[:, :, : bias.shape[1]] @ key.transpose(2, 3) / query.shape[-1] ** 0.5
    return (torch.softmax(scores + bias.double(), dim=-1) @ value).transpose(2, 3)


def in_code(windows: torch.Tensor, bias: torch.Tensor, heads: int) -> torch.Tensor:
    packed = attention_code.packed_tokens(windows, heads)
    queries, keys = bias.shape[1:]
    found = attention_code.attention(packed, attention_code.packed_bias(bias), queries=queries, keys=keys)
    return found[..., :queries]


@pytest.mark.parametrize("width", sorted({8, vector_code.lanes()} - {0}))
@pytest.mark.parametrize(("channels", "queries", "keys"), [(4, 27, 28), (16, 32, 32), (1, 1, 1)])
def test_values_are_those_of_the_definition(width, channels, queries, keys, monkeypatch):
    monkeypatch.setattr(attention_code, "lanes", lambda: width)
    torch.manual_seed(5)
    windows, bias = 2 * torch.randn(5, keys, 3 * 2 * channels), torch.randn(2, queries, keys)
    assert (in_code(windows, bias, 2) - softmax_attention(windows, bias, 2)).abs().max() < 1e-5


def test_large_and_far_apart_scores_neither_overflow_nor_vanish():
    windows = torch.zeros(1, 8, 12)
    windows[..., 8:] = torch.randn(8, 4)
    bias = torch.full((1, 8, 8), -1e4)
    bias[0].fill_diagonal_(1e4)
    bias[0, 0] = 300.0
    assert (in_code(windows, bias, 1) - softmax_attention(windows, bias, 1)).abs().max() < 1e-5


def test_threads_divide_the_windows_and_change_nothing(monkeypatch):
    windows, bias = torch.randn(7, 20, 24), torch.randn(2, 20, 20)
    alone = in_code(windows, bias, 2)
    monkeypatch.setattr(rows.torch, "get_num_threads", lambda: 3)
    assert torch.equal(in_code(windows, bias, 2), alone)


def test_a_packed_bias_unpacks():
    bias = torch.randn(2, 5, 6)
    unpacked = attention_code.unpacked_bias(attention_code.packed_bias(bias), queries=5)
    assert torch.allclose(unpacked, bias, rtol=1e-6)


def test_many_channels_a_head_take_the_other_way():
    assert attention_code.takes(16)
    assert not attention_code.takes(17)
