"""AdamW for a network of transformers."""

from __future__ import annotations

import torch
from torch import nn

from MedSegAI.Logic.training.config_tables.optimiser import OptimiserConfig


def build_optimiser(network: nn.Module, config: OptimiserConfig) -> torch.optim.AdamW:
    """AdamW that leaves biases, norms and relative position tables undecayed, as Swin was trained (Liu et al. 2021)."""
    decayed, kept = [], []
    for name, parameter in network.named_parameters():
        is_weight = parameter.ndim > 1 and "relative_position_bias_table" not in name
        (decayed if is_weight else kept).append(parameter)
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": kept, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)
