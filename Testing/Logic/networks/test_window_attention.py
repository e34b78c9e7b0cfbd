"""Attention in cache-sized pieces equals torch's own, forward and backward."""

from __future__ import annotations

import pytest
import torch

from MedSegAI.Logic.networks import chunked_attention, window_attention
from MedSegAI.Logic.networks.window_attention import WindowAttention

CASES = [
    ((16, 9, 12), (7, 7, 7), (3, 3, 3), True),
    ((8, 8, 8), (4, 4, 4), (0, 0, 0), True),
    ((6, 14, 5), (7, 7, 4), (3, 3, 2), False),
    ((2, 3, 2), (7, 7, 7), (3, 3, 3), True),
]


def attention_and_tokens(shape, window, qkv_bias) -> tuple[WindowAttention, torch.Tensor]:
    torch.manual_seed(5)
    module = WindowAttention(12, 3, window_size=window, qkv_bias=qkv_bias)
    torch.nn.init.normal_(module.relative_position_bias_table)
    return module, torch.randn(2, *shape, 12)


@pytest.mark.parametrize(("shape", "window", "shift", "qkv_bias"), CASES)
@pytest.mark.parametrize("scores_at_a_time", [1, 5000, 1 << 17])
def test_values_and_gradients_are_those_of_torchs_attention(
    shape, window, shift, qkv_bias, scores_at_a_time, monkeypatch
):
    monkeypatch.setattr(chunked_attention, "SCORES_AT_A_TIME", scores_at_a_time)
    module, tokens = attention_and_tokens(shape, window, qkv_bias)
    weight = torch.randn(2, *shape, 12)
    results = []
    for on_cpu in (False, True):
        if not on_cpu:
            monkeypatch.setattr(window_attention, "runs_plainly_on_cpu", lambda *_: False)
        else:
            monkeypatch.undo()
            monkeypatch.setattr(chunked_attention, "SCORES_AT_A_TIME", scores_at_a_time)
        module.zero_grad()
        given = tokens.clone().requires_grad_()
        output = module(given, shift)
        (output * weight).sum().backward()
        with torch.no_grad():
            without = module(tokens, shift)
        results.append([output.detach(), without, given.grad, *(p.grad for p in module.parameters())])
    for expected, found in zip(*results):
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


def test_a_window_never_sees_across_the_border_that_rolling_would_join():
    module, tokens = attention_and_tokens((14, 7, 7), (7, 7, 7), True)
    changed = tokens.clone()
    changed[:, :3] += 10.0
    with torch.no_grad():
        before, after = (module(given, (3, 0, 0)) for given in (tokens, changed))
    assert torch.equal(before[:, 3:], after[:, 3:])
    assert not torch.allclose(before[:, :3], after[:, :3])
