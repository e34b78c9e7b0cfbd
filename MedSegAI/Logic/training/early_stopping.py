"""Whether a run still gets better."""

from __future__ import annotations

from dataclasses import dataclass, replace

from MedSegAI.Logic.training.config_tables.early_stopping import EarlyStoppingConfig


@dataclass(frozen=True)
class Watch:
    """What has been seen of the watched figure.

    Args:
        best: The last value that counted as an improvement; None before the first.
        since: Validations without an improvement since then.
    """

    best: float | None = None
    since: int = 0

    def after(self, value: float, rules: EarlyStoppingConfig) -> Watch:
        """The watch after one more validation, in which the figure was ``value``."""
        gain = 0.0 if self.best is None else (value - self.best) * (1 if rules.mode == "max" else -1)
        if self.best is None or gain > rules.min_delta:
            return Watch(value)
        return replace(self, since=self.since + 1)

    def is_over(self, rules: EarlyStoppingConfig) -> bool:
        """Whether patience is at its end; a patience of 0 never is."""
        return rules.patience > 0 and self.since >= rules.patience
