"""Windows without padding, rolling or masks: the cuts are checked against Swin's own recipe."""

from __future__ import annotations

import itertools

import pytest
import torch

from MedSegAI.Logic.networks.position_bias import (
    add_group_bias_gradient,
    group_bias,
    relative_position_index,
    window_bias,
    window_bias_gradient,
)
from MedSegAI.Logic.networks.window_layout import axis_spans, window_groups

AXES = [(length, window) for length in (3, 6, 7, 8, 13, 14, 16, 24, 48) for window in (1, 3, 4, 7, 8)]


def swin_windows(length: int, window: int, shift: int) -> list[list[tuple[int, int]]]:
    """(token, place in window) of the tokens that see each other: pad, roll by the shift, cut, and mask by region."""
    if length <= window:
        window, shift = length, 0
    padded = -(-length // window) * window
    rolled = [(position + shift) % padded for position in range(padded)]
    region = [
        (position >= padded - window) + (position >= padded - shift) if shift else 0 for position in range(padded)
    ]
    windows = {}
    for position, token in enumerate(rolled):
        windows.setdefault((position // window, region[position]), []).append((token, position % window))
    return [members for members in windows.values() if any(token < length for token, _ in members)]


@pytest.mark.parametrize(("length", "window"), AXES)
@pytest.mark.parametrize("shifted", [False, True])
def test_spans_hold_the_tokens_that_swin_lets_see_each_other(length, window, shifted):
    shift = window // 2 if shifted else 0
    found = []
    for span in axis_spans(length, window, shift):
        for piece in range(span.count):
            tokens = [(span.start + piece * span.size + n, span.offset + n) for n in range(span.size)]
            padding = [(None, span.offset + span.size + n) for n in range(span.padding)]
            found.append(sorted(tokens, key=str) + padding)
    expected = []
    for members in swin_windows(length, window, shift):
        real = sorted(((token, place) for token, place in members if token < length), key=str)
        expected.append(real + sorted((None, place) for token, place in members if token >= length))
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_groups_cover_every_token_once():
    shape = (16, 9, 20)
    seen = torch.zeros(shape, dtype=torch.int64)
    for group in window_groups(shape, (7, 4, 3), (3, 2, 1)):
        seen[group.slices] += 1
        assert group.windows * group.tokens == seen[group.slices].numel()
    assert (seen == 1).all()


def test_the_index_counts_relative_places():
    index = relative_position_index((2, 3, 2))
    places = list(itertools.product(range(2), range(3), range(2)))
    for (a, first), (b, second) in itertools.product(enumerate(places), repeat=2):
        k, j, i = (p - q for p, q in zip(first, second))
        assert index[a, b] == ((k + 1) * 5 + (j + 2)) * 3 + (i + 1)


@pytest.mark.parametrize("clipped", [(3, 4, 3), (2, 4, 3)])
def test_gradients_of_cut_biases_are_what_autograd_finds(clipped):
    window = (3, 4, 3)
    index = relative_position_index(window)
    table = torch.randn(5 * 7 * 5, 2, dtype=torch.float64, requires_grad=True)
    bias = window_bias(table, index, clipped)
    total = torch.zeros_like(bias)
    loss = 0.0
    for group in window_groups((clipped[0], 9, 8), window, (0, 2, 1)):
        if group.spans[0].window != clipped[0]:
            continue
        part = group_bias(bias, group)
        weight = torch.randn_like(part)
        loss = loss + (part * weight).sum()
        add_group_bias_gradient(total, weight, bias.detach(), group)
    (expected,) = torch.autograd.grad(loss, table)
    assert torch.allclose(window_bias_gradient(total, index, len(table)), expected)
    assert expected.abs().sum() > 0
