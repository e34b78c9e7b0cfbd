"""Networks that only the study knows, under names that a training configuration can give."""

from __future__ import annotations

from torch import nn

from MedSegAI.Logic.models.weights import NETWORK_MODULES

PLAIN_FILTERS = (16, 32, 64, 128)


def PlainUNet(in_channels: int = 1, out_channels: int = 3) -> nn.Module:  # noqa: N802 - stands for a class
    """MONAI's DynUNet of 1.4 million parameters: four levels, two convolutions each, instance norm, leaky ReLU."""
    from monai.networks.nets import DynUNet

    levels = len(PLAIN_FILTERS)
    return DynUNet(
        3,
        in_channels,
        out_channels,
        kernel_size=[3] * levels,
        strides=[1] + [2] * (levels - 1),
        upsample_kernel_size=[2] * (levels - 1),
        filters=PLAIN_FILTERS,
    )


def MonaiSwinUNETR(in_channels: int = 1, out_channels: int = 3) -> nn.Module:  # noqa: N802
    """MONAI's SwinUNETR with its own windows of 7, of feature size 12, with its fast attention."""
    from monai.networks.nets import SwinUNETR

    return SwinUNETR(in_channels, out_channels, feature_size=12, use_flash_attention=True)


def make_known() -> None:
    """Let configurations name these networks, in this process."""
    NETWORK_MODULES.setdefault("PlainUNet", __name__)
    NETWORK_MODULES.setdefault("MonaiSwinUNETR", __name__)
