"""Window attention in plain operators of fixed shapes, for engines that a network is recorded for."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from MedSegAI.Logic.networks.window_layout import WindowGroup


def attend_exported(
    qkv: Tensor, padded: Tensor, biases: list[Tensor], groups: tuple[WindowGroup, ...], heads: int
) -> Tensor:
    """Attention output (batch, k, j, i, channels) of a grid ``qkv`` (batch, k, j, i, 3 * channels).

    ``padded`` (3 * channels) is what a padded token projects to, ``biases`` are those of the groups. The groups'
    results are joined instead of written in place, since recorded graphs know no writing in place.
    """
    parts = iter([_attend_group(qkv, padded, bias, group, heads) for group, bias in zip(groups, biases, strict=True)])
    sides = [len({group.spans[axis] for group in groups}) for axis in range(3)]
    return _joined(parts, sides, axis=1)


def _joined(parts: Iterator[Tensor], sides: list[int], *, axis: int) -> Tensor:
    """Join the parts, which come in the order of a product of the axes, from ``axis`` on."""
    if axis > len(sides):
        return next(parts)
    return torch.cat([_joined(parts, sides, axis=axis + 1) for _ in range(sides[axis - 1])], dim=axis)


def _attend_group(qkv: Tensor, padded: Tensor, bias: Tensor, group: WindowGroup, heads: int) -> Tensor:
    k, j, i = group.spans
    width = int(qkv.shape[-1])
    # An exported program may leave the number of windows open; a recorded one knows it, as a tensor.
    batch = qkv.shape[0] if torch.compiler.is_exporting() else int(qkv.shape[0])
    windows = batch * group.windows
    part = qkv[:, k.start : k.stop, j.start : j.stop, i.start : i.stop]
    part = part.reshape(batch * k.count, k.size, j.count, j.size, i.count, i.size * width)
    part = part.permute(0, 2, 4, 1, 3, 5).reshape(windows, group.tokens, width)
    query, key, value = part.chunk(3, dim=-1)
    if group.padded:
        _, padded_key, padded_value = padded.view(1, 1, -1).expand(windows, 1, width).chunk(3, dim=-1)
        key, value = torch.cat([key, padded_key], dim=1), torch.cat([value, padded_value], dim=1)
    query, key, value = (
        tokens.reshape(windows, -1, heads, width // 3 // heads).transpose(1, 2) for tokens in (query, key, value)
    )
    out = _weighted(query, key, value, bias[None])
    out = out.transpose(1, 2).reshape(batch * k.count, j.count, i.count, k.size, j.size, i.size * width // 3)
    out = out.permute(0, 3, 1, 4, 2, 5)
    return out.reshape(batch, k.count * k.size, j.count * j.size, i.count * i.size, width // 3)


def _weighted(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    if not torch.compiler.is_exporting():
        return F.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    # Exported, torch's own attention leaves a memory layout behind that its parts do not give.
    scores = torch.matmul(query * query.shape[-1] ** -0.5, key.transpose(-1, -2)) + bias
    return torch.matmul(torch.softmax(scores, dim=-1), value)
