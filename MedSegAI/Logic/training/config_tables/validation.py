"""The table ``validation``: how a run is watched."""

from __future__ import annotations

from dataclasses import dataclass

from MedSegAI.Logic.training.config_tables.check import need


@dataclass(frozen=True)
class ValidationConfig:
    """When and how validation cases are segmented while training.

    Args:
        every_epochs: Epochs between validations. 5: they cost time that steps could have, and change slowly.
        overlap: Overlap of the validation's windows. 0.0: the quickest; figures for a table are measured with the
            model's own overlap.
    """

    every_epochs: int = 5
    overlap: float = 0.0

    def __post_init__(self) -> None:
        need(self.every_epochs >= 1, f"validation.every_epochs is {self.every_epochs}", "give 1 or more epochs")
        need(0 <= self.overlap < 1, f"validation.overlap is {self.overlap}", "give a number from 0 to below 1")
