"""The table ``early_stopping``: when a run ends because it no longer gets better."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from MedSegAI.Logic.training.config_tables.check import need, need_one_of

VALIDATION_DICE, TRAINING_LOSS = "val_dice", "train_loss"
_MODES = {VALIDATION_DICE: "max", TRAINING_LOSS: "min"}


@dataclass(frozen=True)
class EarlyStoppingConfig:
    """Ends a run that did not improve for a while; the best weights are in ``best.pt`` in any case.

    Args:
        monitor: "val_dice", the mean Dice of all labels and validation cases, since it is what is wanted in the end;
            or "train_loss", for data without validation cases worth trusting.
        mode: "max" or "min": which way is better. "max", as Dice is better when higher.
        patience: Validations in a row without an improvement after which the run ends. 15 outlasts the noise of a
            small validation set; 0 never ends a run early.
        min_delta: Smallest change that counts as an improvement. 0.0: any does.
    """

    monitor: Literal["val_dice", "train_loss"] = VALIDATION_DICE
    mode: Literal["max", "min"] = "max"
    patience: int = 15
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        need_one_of(self.monitor, tuple(_MODES), "early_stopping.monitor")
        wanted = _MODES[self.monitor]
        need(
            self.mode == wanted,
            f"early_stopping.mode is '{self.mode}', which would end a run as soon as {self.monitor} gets better",
            f"write '{wanted}'",
        )
        need(self.patience >= 0, f"early_stopping.patience is {self.patience}", "give 0 or more validations")
        need(
            self.min_delta >= 0 and math.isfinite(self.min_delta),
            f"early_stopping.min_delta is {self.min_delta}",
            "give 0 or a positive number",
        )
