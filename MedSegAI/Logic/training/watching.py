"""Whoever looks on while a run goes: a display, a log, TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class StepFacts:
    """How a run stands after a step.

    Args:
        step: Steps done.
        expected_steps: Of the whole run; a guess where time is the limit.
        epoch: The epoch that is going on, from 1.
        loss: Of the step's batch.
        learning_rate: Of the step.
        steps_per_second: Lately.
        seconds_left: Until the run's limit, as things go; None before that can be told.
        best_dice: Best mean Dice of a validation so far; None before the first.
    """

    step: int
    expected_steps: int
    epoch: int
    loss: float
    learning_rate: float
    steps_per_second: float
    seconds_left: float | None
    best_dice: float | None


class Watcher(Protocol):
    """Looks on; called by the one process that writes."""

    def step(self, facts: StepFacts) -> None:
        """A step was done."""
        ...

    def epoch(self, row: Mapping[str, Any]) -> None:
        """An epoch was done; the fields are those of the table of epochs."""
        ...

    def worst_case(self, picture: bytes, *, name: str, step: int) -> None:
        """A PNG of the validation case of lowest Dice after so many steps."""
        ...

    def close(self) -> None:
        """The run is over, or was stopped."""
        ...
