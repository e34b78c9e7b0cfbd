"""A Swin-UNETR small enough to be converted for another engine, and checked, in two seconds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from MedSegAI.Logic.models.registry import Model, find_model
from MedSegAI.Logic.models.weights import build_network, save_model

ARGUMENTS = {"in_channels": 1, "out_channels": 3, "feature_size": 12, "window_size": 2, "depths": [1, 1, 1, 1]}


def small_model(folder: Path, *, seed: int) -> Model:
    """A Swin-UNETR of one block a stage with random weights, and the card of the hippocampus model."""
    torch.manual_seed(seed)
    network = build_network("SwinUNETR", ARGUMENTS)
    # As they are drawn, all logits are nearly the same.
    network.out.conv.conv.weight.data.mul_(8)
    card = find_model("hippocampus-mr").card
    card = dataclasses.replace(card, name=folder.name, network_arguments=ARGUMENTS, window=(32, 32, 64))
    return save_model(folder, card, state=network.state_dict())
