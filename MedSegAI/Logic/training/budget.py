"""How much of a run is over, by steps, by processor time, or by both."""

from __future__ import annotations

from dataclasses import dataclass

from MedSegAI.Logic.training.config import TrainingConfig


@dataclass(frozen=True)
class Budget:
    """What a run may use.

    Args:
        steps: Most steps; None: any number.
        cpu_seconds: Most processor time; None: any.
    """

    steps: int | None
    cpu_seconds: float | None

    @classmethod
    def of(cls, config: TrainingConfig) -> Budget:
        """The limits of a configuration."""
        return cls(config.total_steps, None if config.cpu_minutes is None else 60 * config.cpu_minutes)

    def share(self, step: int, cpu_seconds: float) -> float:
        """How much is used, 0 to 1, of whichever limit is nearer."""
        shares = [0.0 if self.steps is None else step / self.steps]
        shares.append(0.0 if self.cpu_seconds is None else cpu_seconds / self.cpu_seconds)
        return min(1.0, max(shares))

    def is_used_up(self, step: int, cpu_seconds: float) -> bool:
        """Whether no further step may be taken."""
        return self.share(step, cpu_seconds) >= 1.0

    def expected_steps(self, step: int, cpu_seconds: float) -> int:
        """Steps of the whole run, guessed from what the steps so far have cost where time is the limit."""
        share = self.share(step, cpu_seconds)
        return max(step, round(step / share)) if share else self.steps or 0

    @property
    def sentence(self) -> str:
        """Both limits in words, such as "7000 steps or 30 minutes of processor time"."""
        parts = [] if self.steps is None else [f"{self.steps} step{'s' * (self.steps != 1)}"]
        parts += [] if self.cpu_seconds is None else [f"{self.cpu_seconds / 60:g} minutes of processor time"]
        return " or ".join(parts)
