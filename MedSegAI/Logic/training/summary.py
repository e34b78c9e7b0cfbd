"""What a finished run leaves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TrainingSummary:
    """What a finished run leaves.

    Args:
        checkpoint: State at the last step.
        best_checkpoint: State at the best validation.
        table: CSV file with a row an epoch.
        report: Page with curves, cases and configuration.
        steps: Steps done.
        seconds: Time spent training and validating, over all sessions of the run.
        cpu_seconds: Processor time of that.
        best_dice: Best mean Dice of a validation.
        stopped_early: Whether the run ended because validation no longer improved.
    """

    checkpoint: Path
    best_checkpoint: Path
    table: Path
    report: Path
    steps: int
    seconds: float
    cpu_seconds: float
    best_dice: float
    stopped_early: bool
