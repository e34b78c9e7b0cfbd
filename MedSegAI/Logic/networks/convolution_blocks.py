"""Residual convolution blocks of the Swin-UNETR encoder and decoder (Hatamizadeh et al. 2022, *Swin UNETR*)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from MedSegAI.Logic.networks.devices import has_hooks_inside, is_exported, needs_gradient, runs_plainly_on_cpu
from MedSegAI.Logic.networks.fused_residual import SLOPE, ResidualBlockFunction, residual_block


class Convolution(nn.Module):
    """A 3D convolution held under the name ``conv``, as published checkpoints have it."""

    def __init__(self, in_channels: int, out_channels: int, *, kernel_size: int, bias: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv3d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, k, j, i) at the same resolution."""
        return self.conv(inputs)


class DoublingConvolution(nn.Module):
    """A transposed convolution of kernel 2 and stride 2: doubles each axis."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose3d(in_channels, out_channels, 2, stride=2, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, k, j, i) to twice the resolution."""
        return self.conv(inputs)

    def join(self, inputs: Tensor, skip: Tensor) -> Tensor:
        """The doubled ``inputs`` and then ``skip`` along the channels, channels-last.

        Each voxel becomes a block of 2x2x2 by one matrix product, and the join puts the blocks in place.
        """
        batch, _, depth, height, width = inputs.shape
        weight = self.conv.weight
        blocks = F.linear(inputs.permute(0, 2, 3, 4, 1), weight.permute(2, 3, 4, 1, 0).flatten(0, 3))
        blocks = blocks.view(batch, depth, height, width, 2, 2, 2, weight.shape[1]).permute(0, 1, 4, 2, 5, 3, 6, 7)
        skip = skip.permute(0, 2, 3, 4, 1).reshape(blocks.shape)
        joined = torch.cat([blocks, skip], dim=-1).view(batch, 2 * depth, 2 * height, 2 * width, -1)
        return joined.permute(0, 4, 1, 2, 3)


class ResidualBlock(nn.Module):
    """Two 3x3x3 convolutions with instance norm and leaky ReLU, and a (projected) shortcut."""

    def __init__(self, in_channels: int, out_channels: int, *, affine: bool = False) -> None:
        super().__init__()
        self.conv1 = Convolution(in_channels, out_channels, kernel_size=3)
        self.conv2 = Convolution(out_channels, out_channels, kernel_size=3)
        self.norm1 = nn.InstanceNorm3d(out_channels, affine=affine)
        self.norm2 = nn.InstanceNorm3d(out_channels, affine=affine)
        if in_channels != out_channels:
            self.conv3 = Convolution(in_channels, out_channels, kernel_size=1)
            self.norm3 = nn.InstanceNorm3d(out_channels, affine=affine)

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, k, j, i) to the same with the block's number of channels; channels-last on the CPU."""
        if self._may_fuse(inputs):
            inputs = inputs.contiguous(memory_format=torch.channels_last_3d)
            third = self.conv3.conv.weight if hasattr(self, "conv3") else None
            weights = (self.conv1.conv.weight, self.conv2.conv.weight, third)
            if needs_gradient(inputs, *weights):
                return ResidualBlockFunction.apply(inputs, *weights)
            return residual_block(inputs, *weights)[0]
        out = F.leaky_relu(self.norm1(self.conv1(inputs)), SLOPE)
        out = self.norm2(self.conv2(out))
        shortcut = self.norm3(self.conv3(inputs)) if hasattr(self, "conv3") else inputs
        return F.leaky_relu(out + shortcut, SLOPE)

    def _may_fuse(self, inputs: Tensor) -> bool:
        if self.norm1.affine or not runs_plainly_on_cpu(inputs, self.conv1.conv.weight):
            return False
        return not has_hooks_inside(self)


class EncoderBlock(nn.Module):
    """A residual block under the name ``layer``."""

    def __init__(self, in_channels: int, out_channels: int, *, affine: bool = False) -> None:
        super().__init__()
        self.layer = ResidualBlock(in_channels, out_channels, affine=affine)

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, k, j, i) at the same resolution."""
        return self.layer(inputs)


class DecoderBlock(nn.Module):
    """Double the resolution, join the skip connection, and convolve."""

    def __init__(self, in_channels: int, out_channels: int, *, affine: bool = False) -> None:
        super().__init__()
        self.transp_conv = DoublingConvolution(in_channels, out_channels)
        self.conv_block = ResidualBlock(2 * out_channels, out_channels, affine=affine)

    def forward(self, inputs: Tensor, skip: Tensor) -> Tensor:
        """(batch, channels, k, j, i) and a skip connection of twice that resolution to that resolution."""
        if is_exported() or inputs.device.type != "cpu" or has_hooks_inside(self, apart_from=self.conv_block):
            return self.conv_block(torch.cat([self.transp_conv(inputs), skip], dim=1))
        return self.conv_block(self.transp_conv.join(inputs, skip))


class OutputBlock(nn.Module):
    """One 1x1x1 convolution to the logits."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = Convolution(in_channels, out_channels, kernel_size=1, bias=True)

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, k, j, i) to logits (batch, labels, k, j, i), contiguous."""
        if is_exported() or inputs.device.type != "cpu" or has_hooks_inside(self):
            return self.conv(inputs)
        convolution = self.conv.conv
        weight, bias = convolution.weight.flatten(1), convolution.bias[:, None]
        return torch.matmul(weight, inputs.flatten(2)).add_(bias).unflatten(2, inputs.shape[2:])
