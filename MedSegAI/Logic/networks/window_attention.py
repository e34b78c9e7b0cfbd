"""Multi-head self-attention inside local windows with a relative position bias (Liu et al. 2021, *Swin Transformer*)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from MedSegAI.Logic.networks.window_layout import WindowGroup, token_places, window_groups


def relative_position_index(window: tuple[int, int, int]) -> Tensor:
    """Row of the bias table for each pair of places in a window: int64 (n, n), n = product of ``window``."""
    axes = [torch.arange(size) for size in window]
    places = torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1)
    offsets = places[:, :, None] - places[:, None, :]
    index = torch.zeros_like(offsets[0])
    for axis, size in enumerate(window):
        index = index * (2 * size - 1) + offsets[axis] + size - 1
    return index


def gather_windows(tokens: Tensor, group: WindowGroup) -> Tensor:
    """Tokens (batch, k, j, i, channels) of a group as (batch * windows, tokens, channels)."""
    k, j, i = group.spans
    batch, channels = tokens.shape[0], tokens.shape[-1]
    part = tokens[(slice(None), *group.slices)]
    part = part.reshape(batch, k.count, k.size, j.count, j.size, i.count, i.size, channels)
    return part.permute(0, 1, 3, 5, 2, 4, 6, 7).reshape(batch * group.windows, group.tokens, channels)


def scatter_windows(output: Tensor, windows: Tensor, group: WindowGroup) -> None:
    """Write (batch * windows, tokens, channels) back to the group's place in ``output`` (batch, k, j, i, channels)."""
    k, j, i = group.spans
    batch, channels = output.shape[0], output.shape[-1]
    part = windows.view(batch, k.count, j.count, i.count, k.size, j.size, i.size, channels)
    part = part.permute(0, 1, 4, 2, 5, 3, 6, 7)
    target = output[(slice(None), *group.slices)]
    target.copy_(part.reshape(target.shape))


class WindowAttention(nn.Module):
    """Attention of every token to the tokens of its window; the names of the parameters are MONAI's.

    The index of a window clipped to a short axis is the leading part of the full window's, as in the published networks.
    """

    def __init__(
        self,
        channels: int,
        num_heads: int,
        *,
        window_size: tuple[int, int, int],
        qkv_bias: bool = True,
        attention_dropout: float = 0.0,
        projection_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.window_size = window_size
        self.num_heads = num_heads
        self.scale = (channels // num_heads) ** -0.5
        rows = 1
        for size in window_size:
            rows *= 2 * size - 1
        self.relative_position_bias_table = nn.Parameter(torch.zeros(rows, num_heads))
        self.register_buffer("relative_position_index", relative_position_index(window_size))
        self.qkv = nn.Linear(channels, 3 * channels, bias=qkv_bias)
        self.proj = nn.Linear(channels, channels)
        self.attention_dropout = attention_dropout
        self.proj_drop = nn.Dropout(projection_dropout)
        self._bias_cache: dict = {}
        self._cached_table: Tensor | None = None
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)

    def forward(self, tokens: Tensor, shift: tuple[int, int, int]) -> Tensor:
        """Attend within the windows of a grid (batch, k, j, i, channels), shifted by ``shift`` tokens; same shape out."""
        batch, *shape, channels = tokens.shape
        qkv = self.qkv(tokens)
        output = tokens.new_empty(batch, *shape, channels, dtype=qkv.dtype)
        for group in window_groups(tuple(shape), self.window_size, shift):
            scatter_windows(output, self._attend(gather_windows(qkv, group), group), group)
        return self.proj_drop(self.proj(output))

    def _attend(self, qkv: Tensor, group: WindowGroup) -> Tensor:
        windows, tokens, channels = qkv.shape
        bias = self._bias(group)
        if bias.shape[-1] > tokens:
            qkv = torch.cat([qkv, self._padded_token(qkv).expand(windows, 1, channels)], dim=1)
        heads = qkv.view(windows, -1, 3, self.num_heads, channels // 3 // self.num_heads).permute(2, 0, 3, 1, 4)
        dropout = self.attention_dropout if self.training else 0.0
        query, key, value = heads[0, :, :, :tokens], heads[1], heads[2]
        out = F.scaled_dot_product_attention(
            query, key, value, attn_mask=bias.to(query.dtype)[None], dropout_p=dropout, scale=self.scale
        )
        return out.transpose(1, 2).reshape(windows, tokens, channels // 3)

    def _padded_token(self, like: Tensor) -> Tensor:
        """What the projection gives for a padded token, which is zero before it."""
        if self.qkv.bias is None:
            return like.new_zeros(self.qkv.out_features)
        return self.qkv.bias.to(like.dtype)

    def _bias(self, group: WindowGroup) -> Tensor:
        """Bias (heads, tokens, keys) of one kind of window; remembered while gradients are off and the table is unchanged."""
        table = self.relative_position_bias_table
        if torch.is_grad_enabled() or table.device.type != "cpu" or torch.compiler.is_compiling():
            return self._make_bias(group)
        if self._cached_table is None or not torch.equal(self._cached_table, table):
            self._bias_cache.clear()
            self._cached_table = table.detach().clone()
        if group.kind not in self._bias_cache:
            self._bias_cache[group.kind] = self._make_bias(group)
        return self._bias_cache[group.kind]

    def _make_bias(self, group: WindowGroup) -> Tensor:
        real, padded = token_places(group.kind)
        index = self.relative_position_index
        rows = torch.tensor(real, device=index.device)
        table = self.relative_position_bias_table
        tokens = len(real)
        bias = table[index[rows][:, rows].reshape(-1)].view(tokens, tokens, -1)
        if padded:
            columns = torch.tensor(padded, device=index.device)
            padded_bias = table[index[rows][:, columns].reshape(-1)].view(tokens, len(padded), -1)
            # padded keys are all equal: one key whose weight is the sum of theirs
            bias = torch.cat([bias, padded_bias.logsumexp(dim=1, keepdim=True)], dim=1)
        return bias.permute(2, 0, 1).contiguous()
