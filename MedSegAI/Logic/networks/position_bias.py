"""The relative position bias of window attention, for whole windows and for pieces of them (Liu et al. 2021)."""

from __future__ import annotations

import torch
from torch import Tensor

from MedSegAI.Logic.networks.window_layout import WindowGroup

Window = tuple[int, int, int]


def relative_position_index(window: Window) -> Tensor:
    """Row of the bias table for each pair of places in a window: int64 (n, n), n = product of ``window``."""
    axes = [torch.arange(size) for size in window]
    places = torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1)
    offsets = places[:, :, None] - places[:, None, :]
    index = torch.zeros_like(offsets[0])
    for axis, size in enumerate(window):
        index = index * (2 * size - 1) + offsets[axis] + size - 1
    return index


def window_bias(table: Tensor, index: Tensor, window: Window) -> Tensor:
    """Bias (heads, query k, j, i, key k, j, i) of a whole window from its ``table`` (rows, heads).

    A window clipped to a short axis takes the leading part of the full window's ``index``, as published networks do.
    """
    tokens = window[0] * window[1] * window[2]
    rows = index[:tokens, :tokens].reshape(-1)
    return table.t().contiguous().index_select(1, rows).view(-1, *window, *window)


def window_bias_gradient(gradient: Tensor, index: Tensor, rows: int) -> Tensor:
    """Gradient (rows, heads) of the table for a ``gradient`` shaped as the bias of a whole window."""
    heads, *window = gradient.shape[:4]
    tokens = window[0] * window[1] * window[2]
    total = gradient.new_zeros(heads, rows)
    return total.index_add_(1, index[:tokens, :tokens].reshape(-1), gradient.reshape(heads, -1)).t().contiguous()


def group_bias(bias: Tensor, group: WindowGroup) -> Tensor:
    """Bias (heads, tokens, keys) of a group's windows, cut from the whole window's.

    Where windows hold padded tokens there is one key more at the end: padded keys are all equal, so one key whose
    weight is the sum of theirs does the same.
    """
    real = bias[_box(group, padded=False)].reshape(bias.shape[0], group.tokens, group.tokens)
    if not group.padded:
        return real
    return torch.cat([real, _padded_keys(bias, group).logsumexp(dim=-1, keepdim=True)], dim=-1)


def add_group_bias_gradient(total: Tensor, gradient: Tensor, bias: Tensor, group: WindowGroup) -> None:
    """Add to ``total``, shaped as ``bias``, its share of the ``gradient`` (heads, tokens, keys) of the group's bias."""
    tokens = group.tokens
    part = total[_box(group, padded=False)]
    part += gradient[..., :tokens].reshape(part.shape)
    if group.padded:
        share = _padded_keys(bias, group).softmax(dim=-1) * gradient[..., tokens:]
        part = total[_box(group, padded=True)]
        part += share.view(part.shape)


def _box(group: WindowGroup, *, padded: bool) -> tuple[slice, ...]:
    queries = [slice(span.offset, span.offset + span.size) for span in group.spans]
    keys = [slice(span.offset, span.offset + span.size + padded * span.padding) for span in group.spans]
    return (slice(None), *queries, *keys)


def _padded_keys(bias: Tensor, group: WindowGroup) -> Tensor:
    """Bias (heads, tokens, keys) to all keys of the windows, minus infinity where a key is a real token."""
    keys = bias[_box(group, padded=True)].clone()
    k, j, i = (span.size for span in group.spans)
    keys[..., :k, :j, :i] = -torch.inf
    return keys.reshape(bias.shape[0], group.tokens, -1)
