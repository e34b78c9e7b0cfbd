"""How a training run looks while it goes: one living line on a terminal, now and then a plain line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from MedSegAI.CommandLine.progress import ConsoleReporter

if TYPE_CHECKING:
    from MedSegAI.Logic.training.watching import StepFacts

_SECONDS_BETWEEN_LINES = 60.0


class TrainingDisplay:
    """A ``Watcher`` that shows steps through a reporter.

    Args:
        reporter: Where it is shown.
        seconds_between_lines: How often a plain line is written where no terminal watches.
    """

    def __init__(self, reporter: ConsoleReporter, *, seconds_between_lines: float = _SECONDS_BETWEEN_LINES) -> None:
        self._reporter, self._pause = reporter, seconds_between_lines
        self._spoke = time.monotonic()

    def step(self, facts: StepFacts) -> None:
        """Epoch, loss, rate, pace, time left and best Dice."""
        shown = self._reporter.detail("training", step_in_words(facts), facts=asdict(facts))
        if shown or time.monotonic() - self._spoke < self._pause:
            return
        left = "" if facts.seconds_left is None else f", about {duration(facts.seconds_left)} left"
        self._reporter.message(f"Step {facts.step} of {facts.expected_steps}: {step_in_words(facts)}{left}.")
        self._spoke = time.monotonic()

    def epoch(self, row: Mapping[str, Any]) -> None:
        """The run itself says a sentence."""
        self._spoke = time.monotonic()

    def worst_case(self, picture: bytes, *, name: str, step: int) -> None:
        """A terminal shows no pictures."""

    def close(self) -> None:
        """Nothing to end."""


def step_in_words(facts: StepFacts) -> str:
    """A step in one short line, without its number and the time left, which the bar shows."""
    parts = [
        f"epoch {facts.epoch}",
        f"loss {facts.loss:.4f}",
        f"rate {facts.learning_rate:.2e}",
        f"{facts.steps_per_second:.2f} steps/s",
    ]
    if facts.best_dice is not None:
        parts.append(f"best Dice {facts.best_dice:.4f}")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """A length of time in the two largest units that matter."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
