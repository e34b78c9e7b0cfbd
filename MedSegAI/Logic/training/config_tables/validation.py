"""The table ``validation``: how a run is watched."""

from __future__ import annotations

from dataclasses import dataclass

from MedSegAI.Logic.training.config_tables.check import need


@dataclass(frozen=True)
class ValidationConfig:
    """How the run is watched.

    Args:
        every_epochs: Epochs between validations.
        overlap: Overlap of the validation's windows.
        patience: Validations without a better mean Dice after which the run stops; 0 never stops early.
    """

    every_epochs: int = 5
    overlap: float = 0.0
    patience: int = 0

    def __post_init__(self) -> None:
        need(self.every_epochs >= 1, f"validation.every_epochs is {self.every_epochs}", "give 1 or more epochs")
        need(0 <= self.overlap < 1, f"validation.overlap is {self.overlap}", "give a number from 0 to below 1")
        need(self.patience >= 0, f"validation.patience is {self.patience}", "give 0 or more validations")
