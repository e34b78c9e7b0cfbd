"""The table ``optimiser``: how the weights learn."""

from __future__ import annotations

from dataclasses import dataclass

from MedSegAI.Logic.training.config_tables.check import need


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW (Loshchilov and Hutter 2019) with a linear warm-up and a cosine decay to ``final_fraction`` of the rate.

    Args:
        learning_rate: Peak rate.
        weight_decay: Decoupled decay, on weight matrices only.
        warm_up_steps: Steps of the linear warm-up.
        final_fraction: Rate at the last step as a fraction of the peak.
        gradient_norm: Gradients are clipped to this norm.
        average_decay: Decay a step of the exponential moving average of the weights; 0 keeps the raw weights.
    """

    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up_steps: int = 200
    final_fraction: float = 0.01
    gradient_norm: float = 1.0
    average_decay: float = 0.998

    def __post_init__(self) -> None:
        need(self.learning_rate > 0, f"optimiser.learning_rate is {self.learning_rate}", "give a positive number")
        need(self.weight_decay >= 0, f"optimiser.weight_decay is {self.weight_decay}", "give 0 or a positive number")
        need(self.warm_up_steps >= 0, f"optimiser.warm_up_steps is {self.warm_up_steps}", "give 0 or more steps")
        need(
            0 <= self.final_fraction <= 1,
            f"optimiser.final_fraction is {self.final_fraction}",
            "give a number from 0 to 1",
        )
        need(self.gradient_norm > 0, f"optimiser.gradient_norm is {self.gradient_norm}", "give a positive number")
        need(
            0 <= self.average_decay < 1,
            f"optimiser.average_decay is {self.average_decay}",
            "give a number from 0 to below 1, such as 0.998",
        )
