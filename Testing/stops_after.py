"""A user who cancels."""

from __future__ import annotations

from dataclasses import dataclass

from MedSegAI.Logic.reporter import SilentReporter


@dataclass
class StopsAfter(SilentReporter):
    """Cancels once ``steps`` steps are done."""

    steps: int = 0
    done: int = 0

    def progress(self, done: int, total: int, stage: str) -> None:
        self.done = done

    def cancelled(self) -> bool:
        return self.done >= self.steps
