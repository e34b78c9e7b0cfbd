"""The hierarchical Swin transformer that encodes a volume (Liu et al. 2021, *Swin Transformer*; 3D as in Swin UNETR).

Stages take and give feature maps (batch, channels, k, j, i), laid out in memory as the tokens
(batch, k, j, i, channels) that their blocks work on, so that nothing is copied between them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from MedSegAI.Logic.networks.convolution_blocks import EncoderBlock
from MedSegAI.Logic.networks.devices import is_exported
from MedSegAI.Logic.networks.window_attention import WindowAttention

# Order in which the eight neighbours (k, j, i) of a 2x2x2 block are joined: it is part of what the weights mean.
MERGE_ORDERS = {
    "merging": ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)),
    "mergingv2": tuple(itertools.product(range(2), repeat=3)),
}


class PathDrop(nn.Module):
    """Stochastic depth: drop a residual branch for whole samples while training (Huang et al. 2016)."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, branch: Tensor) -> Tensor:
        """(batch, ...) to the same."""
        if not self.training or self.probability == 0.0:
            return branch
        keep = 1.0 - self.probability
        kept = branch.new_empty(branch.shape[0], *[1] * (branch.ndim - 1)).bernoulli_(keep)
        return branch * (kept / keep if keep > 0.0 else kept)


class Mlp(nn.Module):
    """Two linear layers with GELU between."""

    def __init__(self, channels: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.linear1 = nn.Linear(channels, hidden)
        self.linear2 = nn.Linear(hidden, channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (batch, k, j, i, channels) to the same."""
        return self.dropout(self.linear2(self.dropout(F.gelu(self.linear1(tokens)))))


class SwinBlock(nn.Module):
    """Window attention and an MLP, each on a normalised residual branch."""

    gives_tokens = True
    """Outputs here and inside are channels-last tokens, not feature maps."""

    def __init__(
        self,
        channels: int,
        num_heads: int,
        *,
        window_size: tuple[int, int, int],
        shift: tuple[int, int, int],
        mlp_ratio: float,
        qkv_bias: bool,
        dropout: float,
        attention_dropout: float,
        path_dropout: float,
        use_checkpoint: bool,
    ) -> None:
        super().__init__()
        self.window_size = window_size
        self.shift = shift
        self.use_checkpoint = use_checkpoint
        self.norm1 = nn.LayerNorm(channels)
        self.attn = WindowAttention(
            channels,
            num_heads,
            window_size=window_size,
            qkv_bias=qkv_bias,
            attention_dropout=attention_dropout,
            projection_dropout=dropout,
        )
        self.drop_path = PathDrop(path_dropout)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = Mlp(channels, int(channels * mlp_ratio), dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (batch, k, j, i, channels) to the same."""
        if is_exported():
            return self._recorded(tokens)
        for branch in (self._attention_branch, self._mlp_branch):
            if self.use_checkpoint and torch.is_grad_enabled():
                tokens = tokens + checkpoint(branch, tokens, use_reentrant=False)
            else:
                tokens = tokens + branch(tokens)
        return tokens

    def _recorded(self, tokens: Tensor) -> Tensor:
        """The same with a list of tokens between the parts: a grid of them is taken for an image, and reordered."""
        grid, channels = tuple(map(int, tokens.shape[1:4])), int(tokens.shape[-1])
        flat = tokens.reshape(-1, channels)
        attended = self.attn(self.norm1(flat).reshape(-1, *grid, channels), self.shift)
        flat = flat + self.drop_path(attended).reshape(-1, channels)
        return (flat + self._mlp_branch(flat)).reshape(-1, *grid, channels)

    def _attention_branch(self, tokens: Tensor) -> Tensor:
        return self.drop_path(self.attn(self.norm1(tokens), self.shift))

    def _mlp_branch(self, tokens: Tensor) -> Tensor:
        return self.drop_path(self.mlp(self.norm2(tokens)))


class PatchMerging(nn.Module):
    """Join each 2x2x2 block of tokens into one of twice the channels."""

    gives_tokens = True
    """Outputs here and inside are channels-last tokens, not feature maps."""

    def __init__(self, channels: int, *, order: str) -> None:
        super().__init__()
        self.order = MERGE_ORDERS[order]
        self.reduction = nn.Linear(8 * channels, 2 * channels, bias=False)
        self.norm = nn.LayerNorm(8 * channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (batch, k, j, i, channels), all axes even, to half of each axis and twice the channels."""
        joined = torch.cat([tokens[:, k::2, j::2, i::2] for k, j, i in self.order], dim=-1)
        return self.reduction(self.norm(joined))


class SwinStage(nn.Module):
    """Blocks with alternating plain and shifted windows, then a merging of patches."""

    def __init__(
        self, channels: int, num_heads: int, *, path_dropouts: Sequence[float], merging: str, **block: Any
    ) -> None:
        super().__init__()
        window = block["window_size"]
        half = tuple(size // 2 for size in window)
        self.blocks = nn.ModuleList(
            SwinBlock(channels, num_heads, shift=half if number % 2 else (0, 0, 0), path_dropout=rate, **block)
            for number, rate in enumerate(path_dropouts)
        )
        self.downsample = PatchMerging(channels, order=merging)

    def forward(self, features: Tensor) -> Tensor:
        """Features (batch, channels, k, j, i) to half of each axis and twice the channels."""
        tokens = features.permute(0, 2, 3, 4, 1).contiguous()
        for block in self.blocks:
            tokens = block(tokens)
        return self.downsample(tokens).permute(0, 4, 1, 2, 3)


class PatchEmbedding(nn.Module):
    """Cut the volume into patches and project each to a token."""

    def __init__(self, in_channels: int, channels: int, *, patch_size: tuple[int, int, int], normalised: bool) -> None:
        super().__init__()
        self.proj = nn.Conv3d(in_channels, channels, patch_size, stride=patch_size)
        self.norm = nn.LayerNorm(channels) if normalised else None

    def forward(self, volume: Tensor) -> Tensor:
        """Volume (batch, channels, k, j, i) to features (batch, channels, k', j', i'), a voxel a patch."""
        if is_exported():
            features = self.proj(volume)
            return features if self.norm is None else self.norm(features.permute(0, 2, 3, 4, 1)).permute(0, 4, 1, 2, 3)
        for axis, size in enumerate(self.proj.kernel_size):
            volume = volume.unflatten(2 + 2 * axis, (-1, size))
        patches = volume.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4)
        tokens = F.linear(patches, self.proj.weight.flatten(1), self.proj.bias)
        return (tokens if self.norm is None else self.norm(tokens)).permute(0, 4, 1, 2, 3)


class SwinTransformer(nn.Module):
    """Four stages, each halving the resolution and doubling the channels."""

    def __init__(
        self,
        in_channels: int,
        channels: int,
        *,
        window_size: tuple[int, int, int],
        patch_size: tuple[int, int, int],
        depths: Sequence[int],
        num_heads: Sequence[int],
        mlp_ratio: float,
        qkv_bias: bool,
        dropout: float,
        attention_dropout: float,
        path_dropout: float,
        patch_norm: bool,
        use_checkpoint: bool,
        merging: str,
        use_v2: bool,
    ) -> None:
        super().__init__()
        self.use_v2 = use_v2
        self.patch_embed = PatchEmbedding(in_channels, channels, patch_size=patch_size, normalised=patch_norm)
        self.pos_drop = nn.Dropout(dropout)
        last = max(sum(depths) - 1, 1)
        rates = iter([path_dropout * number / last for number in range(sum(depths))])
        for number, (depth, heads) in enumerate(zip(depths, num_heads, strict=True)):
            width = channels * 2**number
            stage = SwinStage(
                width,
                heads,
                path_dropouts=list(itertools.islice(rates, depth)),
                merging=merging,
                window_size=window_size,
                mlp_ratio=mlp_ratio,
                qkv_bias=qkv_bias,
                dropout=dropout,
                attention_dropout=attention_dropout,
                use_checkpoint=use_checkpoint,
            )
            # One-element lists, because published checkpoints name the stages layers1.0 ... layers4.0.
            self.add_module(f"layers{number + 1}", nn.ModuleList([stage]))
        for number in range(4 if use_v2 else 0):
            width = channels * 2**number
            self.add_module(f"layers{number + 1}c", nn.ModuleList([EncoderBlock(width, width)]))

    def forward(self, volume: Tensor, *, normalize: bool = True) -> list[Tensor]:
        """Features (batch, channels, k, j, i) after the patch embedding and after each of the four stages."""
        features = self.pos_drop(self.patch_embed(volume))
        outputs = [features]
        for number in range(1, 5):
            if self.use_v2:
                features = getattr(self, f"layers{number}c")[0](features)
            features = getattr(self, f"layers{number}")[0](features)
            outputs.append(features)
        return [_normalised(output) for output in outputs] if normalize else outputs


def _normalised(features: Tensor) -> Tensor:
    tokens = features.permute(0, 2, 3, 4, 1)
    return F.layer_norm(tokens, tokens.shape[-1:]).permute(0, 4, 1, 2, 3)
