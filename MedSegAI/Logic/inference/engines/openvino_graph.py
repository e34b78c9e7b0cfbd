"""A network as OpenVINO reads it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

from MedSegAI.Logic.inference.engines.quiet_openvino import without_telemetry

if TYPE_CHECKING:
    import openvino


def openvino_model(network: nn.Module, *, window: Sequence[int], channels: int, batch: int) -> openvino.Model:
    """The network for windows (batch, channels, *window) float32, giving logits (batch, classes, *window) float32.

    All shapes are fixed, and what depends on nothing but them and the weights (the attention's biases) is constant.

    Args:
        network: In evaluation mode, on the CPU.
        window: Extent (k, j, i) of a window in voxels.
        channels: Channels of a window.
        batch: Windows at once.
    """
    openvino = without_telemetry("openvino")
    shape = (batch, channels, *window)
    # Not zeros, for which every norm divides by nothing.
    example = torch.linspace(-1.0, 1.0, steps=shape[0] * channels * window[0] * window[1] * window[2]).view(shape)
    with torch.no_grad(), warnings.catch_warnings():
        # An ordinary run first: the biases that it makes go into the graph as constants.
        network(example)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        recorded = torch.jit.trace(network, example, check_trace=False)
    return openvino.convert_model(recorded, example_input=example, input=[list(shape)])
