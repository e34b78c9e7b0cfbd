"""The table ``optimiser``: how the weights learn."""

from __future__ import annotations

from dataclasses import dataclass

from MedSegAI.Logic.training.config_tables.check import need


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW (Loshchilov and Hutter 2019), its gradients clipped, and a moving average of the weights it finds.

    Args:
        learning_rate: Peak rate. 1.0e-4 is safe for transformers of every size, and what MONAI's recipes for
            Swin-UNETR take; small networks from random weights often bear 1.0e-3.
        weight_decay: Decoupled decay, on weight matrices only. 0.05 as Swin was trained (Liu et al. 2021).
        warm_up_steps: Steps in which the rate rises in a straight line from near zero. 200: AdamW's estimates of the
            gradients' spread are poor before some hundred steps. 0: none.
        final_fraction: Lowest rate of the schedule as a fraction of the peak. 0.01: not 0, so that no step is idle.
        gradient_norm: Gradients are clipped to this norm. 1.0: keeps a rare bad batch from undoing much, and changes
            little otherwise.
        average_decay: Decay a step of the exponential moving average of the weights (EMA), which is what is validated
            and shipped. 0.998 looks back some 500 steps; 0 keeps the raw weights.
    """

    learning_rate: float = 1e-4
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
