"""Multi-head self-attention inside local windows with a relative position bias (Liu et al. 2021)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable

from MedSegAI.Logic.networks import attention_code, chunked_attention
from MedSegAI.Logic.networks.devices import is_exported, needs_gradient, runs_plainly_on_cpu
from MedSegAI.Logic.networks.exported_attention import attend_exported
from MedSegAI.Logic.networks.position_bias import (
    add_group_bias_gradient,
    group_bias,
    relative_position_index,
    window_bias,
    window_bias_gradient,
)
from MedSegAI.Logic.networks.window_layout import WindowGroup, clip_window, window_groups

Triple = tuple[int, int, int]


class WindowAttention(nn.Module):
    """Attention of every token to the tokens of its window; the names of the parameters are MONAI's."""

    def __init__(
        self,
        channels: int,
        num_heads: int,
        *,
        window_size: Triple,
        qkv_bias: bool = True,
        attention_dropout: float = 0.0,
        projection_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.window_size = window_size
        self.num_heads = num_heads
        rows = 1
        for size in window_size:
            rows *= 2 * size - 1
        self.relative_position_bias_table = nn.Parameter(torch.zeros(rows, num_heads))
        self.register_buffer("relative_position_index", relative_position_index(window_size))
        self.qkv = nn.Linear(channels, 3 * channels, bias=qkv_bias)
        self.proj = nn.Linear(channels, channels)
        self.attention_dropout = attention_dropout
        self.proj_drop = nn.Dropout(projection_dropout)
        self._known_table: Tensor | None = None
        self._known_version = -1
        self._known_biases: dict[tuple, Tensor] = {}
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def forward(self, tokens: Tensor, shift: Triple) -> Tensor:
        """Attend within the windows of a grid (batch, k, j, i, channels), shifted by ``shift`` tokens; same shape."""
        shape = tuple(map(int, tokens.shape[1:4]))
        groups = window_groups(shape, self.window_size, shift)
        window = clip_window(shape, self.window_size)
        qkv = self.qkv(tokens)
        # What the projection makes of a padded token, which is zero before it.
        padded = qkv.new_zeros(qkv.shape[-1]) if self.qkv.bias is None else self.qkv.bias.to(qkv.dtype)
        table, index = self.relative_position_bias_table, self.relative_position_index
        dropout = self.attention_dropout if self.training else 0.0
        if is_exported():
            output = attend_exported(qkv, padded, self._recorded_biases(window, groups), groups, self.num_heads)
        elif dropout or not runs_plainly_on_cpu(qkv, table):
            bias = window_bias(table, index, window)
            output = _attend_anywhere(qkv, padded, bias, groups, self.num_heads, dropout)
        elif needs_gradient(qkv, table):
            output = _WindowAttention.apply(qkv, padded, table, index, window, groups)
        else:
            packed = attention_code.takes(qkv.shape[-1] // 3 // self.num_heads)
            biases = self._remembered_biases(window, groups, packed=packed)
            attend = _attend_in_code if packed else _attend
            output = attend(qkv, padded, biases, groups, self.num_heads)
        return self.proj_drop(self.proj(output))

    def _remembered_biases(self, window: Triple, groups: tuple[WindowGroup, ...], *, packed: bool) -> list[Tensor]:
        """The groups' biases, made anew only when the table's values have changed; ``packed`` for machine code."""
        table = self.relative_position_bias_table
        if self._known_table is None or not torch.equal(self._known_table, table):
            self._known_table = table.detach().clone()
            self._known_biases = {}
        self._known_version = table._version
        missing = [group for group in groups if (group.kind, packed) not in self._known_biases]
        if missing:
            bias = window_bias(table, self.relative_position_index, window)
            pack = attention_code.packed_bias if packed else Tensor.contiguous
            self._known_biases |= {(group.kind, packed): pack(group_bias(bias, group)) for group in missing}
        return [self._known_biases[group.kind, packed] for group in groups]

    def _recorded_biases(self, window: Triple, groups: tuple[WindowGroup, ...]) -> list[Tensor]:
        """The groups' biases for a recorded graph: constants where an ordinary run has just made them."""
        table, known = self.relative_position_bias_table, self._known_biases
        if self._known_version == table._version:
            if all((group.kind, False) in known for group in groups):
                return [known[group.kind, False] for group in groups]
            if all((group.kind, True) in known for group in groups):
                return [attention_code.unpacked_bias(known[group.kind, True], queries=group.tokens) for group in groups]
        bias = window_bias(table, self.relative_position_index, window)
        return [group_bias(bias, group) for group in groups]

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_known_table": None, "_known_version": -1, "_known_biases": {}}


class _WindowAttention(torch.autograd.Function):
    """Attention in all windows of a grid with a gradient for the projection, the padded token and the bias table."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        qkv: Tensor,
        padded: Tensor,
        table: Tensor,
        index: Tensor,
        window: Triple,
        groups: tuple[WindowGroup, ...],
    ) -> Tensor:
        """As :func:`_attend`, from the bias table."""
        ctx.save_for_backward(qkv, padded, table, index)
        ctx.window, ctx.groups = window, groups
        bias = window_bias(table, index, window)
        ctx.biases = [group_bias(bias, group) for group in groups]
        return _attend(qkv, padded, ctx.biases, groups, table.shape[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the projection, of the padded token and of the table."""
        qkv, padded, table, index = ctx.saved_tensors
        heads = table.shape[1]
        bias = window_bias(table, index, ctx.window)
        for_bias = torch.zeros_like(bias)
        for_qkv, for_padded = torch.empty_like(qkv), torch.zeros_like(padded)
        for group, part in zip(ctx.groups, ctx.biases, strict=True):
            for_part = torch.zeros_like(part)
            windows = _heads(gather_windows(qkv, group, padded), 3, heads)
            outer = _heads(gather_windows(gradient, group), 1, heads)[:, :, 0]
            result = chunked_attention.attention_gradient(outer, windows, part, for_part).flatten(1, 3)
            add_group_bias_gradient(for_bias, for_part, bias, group)
            if group.padded:
                for_padded += result[..., -1].sum(0)
            scatter_windows(for_qkv, result[..., : group.tokens].transpose(1, 2), group)
        return for_qkv, for_padded, window_bias_gradient(for_bias, index, table.shape[0]), None, None, None


def gather_windows(tokens: Tensor, group: WindowGroup, padded: Tensor | None = None) -> Tensor:
    """Tokens (batch, k, j, i, channels) of a group as (batch * windows, tokens, channels).

    Where the group has padded tokens and ``padded`` (channels) is given, it follows as one token more.
    """
    k, j, i = group.spans
    batch, channels = tokens.shape[0], tokens.shape[-1]
    part = tokens[(slice(None), *group.slices)]
    part = part.reshape(batch, k.count, k.size, j.count, j.size, i.count, i.size, channels)
    windows = part.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(batch * group.windows, group.tokens, channels)
    if padded is None or not group.padded:
        return windows
    return torch.cat([windows, padded.expand(windows.shape[0], 1, channels)], dim=1)


def scatter_windows(output: Tensor, windows: Tensor, group: WindowGroup) -> None:
    """Write (batch * windows, tokens, channels) back to the group's place in ``output`` (batch, k, j, i, channels)."""
    k, j, i = group.spans
    batch = output.shape[0]
    part = windows.unflatten(1, (k.size, j.size, i.size)).unflatten(0, (batch, k.count, j.count, i.count))
    target = output[(slice(None), *group.slices)]
    target = target.unflatten(3, (i.count, i.size)).unflatten(2, (j.count, j.size)).unflatten(1, (k.count, k.size))
    target.copy_(part.permute(0, 1, 4, 2, 5, 3, 6, 7))


def _heads(windows: Tensor, parts: int, heads: int) -> Tensor:
    """View (windows, tokens, channels) as (windows, tokens, parts, heads, head channels)."""
    return windows.unflatten(2, (parts, heads, -1))


def _attend(qkv: Tensor, padded: Tensor, biases: list[Tensor], groups: tuple[WindowGroup, ...], heads: int) -> Tensor:
    output = qkv.new_empty(*qkv.shape[:-1], qkv.shape[-1] // 3)
    for group, bias in zip(groups, biases, strict=True):
        windows = _heads(gather_windows(qkv, group, padded), 3, heads)
        result = chunked_attention.attention(windows, bias, group.tokens)
        scatter_windows(output, result.flatten(1, 2).transpose(1, 2), group)
    return output


def _attend_in_code(
    qkv: Tensor, padded: Tensor, biases: list[Tensor], groups: tuple[WindowGroup, ...], heads: int
) -> Tensor:
    """:func:`_attend` in machine code, from packed biases."""
    output = qkv.new_empty(*qkv.shape[:-1], qkv.shape[-1] // 3)
    for group, bias in zip(groups, biases, strict=True):
        windows = gather_windows(qkv, group, padded)
        packed = attention_code.packed_tokens(windows, heads)
        result = attention_code.attention(packed, bias, queries=group.tokens, keys=windows.shape[1])
        scatter_windows(output, result.flatten(1, 2)[..., : group.tokens].transpose(1, 2), group)
    return output


def _attend_anywhere(
    qkv: Tensor, padded: Tensor, bias: Tensor, groups: tuple[WindowGroup, ...], heads: int, dropout: float
) -> Tensor:
    """The same on any device and in any precision, with torch's own attention, gradients by torch."""
    output = qkv.new_empty(*qkv.shape[:-1], qkv.shape[-1] // 3)
    for group in groups:
        windows = _heads(gather_windows(qkv, group, padded), 3, heads)
        query, key, value = windows.permute(2, 0, 3, 1, 4)
        result = F.scaled_dot_product_attention(
            query[:, :, : group.tokens],
            key,
            value,
            attn_mask=group_bias(bias, group).to(query.dtype)[None],
            dropout_p=dropout,
        )
        scatter_windows(output, result.transpose(1, 2).flatten(2), group)
    return output
