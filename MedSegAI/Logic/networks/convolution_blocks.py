"""Residual convolution blocks of the Swin-UNETR encoder and decoder (Hatamizadeh et al. 2022, *Swin UNETR*)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.01


class Convolution(nn.Module):
    """A 3D convolution held under the name ``conv``, as published checkpoints have it."""

    def __init__(self, in_channels: int, out_channels: int, *, kernel_size: int, bias: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv3d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.conv(inputs)


class DoublingConvolution(nn.Module):
    """A transposed convolution of kernel 2 and stride 2: doubles each axis."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose3d(in_channels, out_channels, 2, stride=2, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.conv(inputs)


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
        out = F.leaky_relu(self.norm1(self.conv1(inputs)), SLOPE, inplace=True)
        out = self.norm2(self.conv2(out))
        shortcut = self.norm3(self.conv3(inputs)) if hasattr(self, "conv3") else inputs
        return F.leaky_relu(out + shortcut, SLOPE, inplace=True)


class EncoderBlock(nn.Module):
    """A residual block under the name ``layer``."""

    def __init__(self, in_channels: int, out_channels: int, *, affine: bool = False) -> None:
        super().__init__()
        self.layer = ResidualBlock(in_channels, out_channels, affine=affine)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layer(inputs)


class DecoderBlock(nn.Module):
    """Double the resolution, join the skip connection, and convolve."""

    def __init__(self, in_channels: int, out_channels: int, *, affine: bool = False) -> None:
        super().__init__()
        self.transp_conv = DoublingConvolution(in_channels, out_channels)
        self.conv_block = ResidualBlock(2 * out_channels, out_channels, affine=affine)

    def forward(self, inputs: Tensor, skip: Tensor) -> Tensor:
        return self.conv_block(torch.cat([self.transp_conv(inputs), skip], dim=1))


class OutputBlock(nn.Module):
    """One 1x1x1 convolution to the logits."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = Convolution(in_channels, out_channels, kernel_size=1, bias=True)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.conv(inputs)
