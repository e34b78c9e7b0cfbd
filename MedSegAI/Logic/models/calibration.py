"""How a model's logits become probabilities and labels, where reviewed cases said that they should be corrected."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from MedSegAI.Logic.labels import LabelTable

EVEN_THRESHOLD = 0.5


@dataclass(frozen=True)
class Calibration:
    """A temperature for probabilities, and a threshold a label.

    Probabilities are the softmax of the logits divided by the temperature (Guo et al. 2017, *On Calibration of Modern
    Neural Networks*). A voxel is called a label where the label's probability, against that of the background alone,
    exceeds its threshold; of several such labels the one wins whose log odds exceed its threshold's by most. With all
    thresholds at 0.5 that is the largest probability, so a temperature alone changes no label.

    Args:
        temperature: Above 0; above 1 it makes a network less sure of itself.
        thresholds: Between 0 and 1, by the key of the network's label; a label without one has 0.5.
        record: What they were fitted on and what that changed.
    """

    temperature: float = 1.0
    thresholds: Mapping[str, float] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)

    def offsets(self, labels: LabelTable) -> tuple[float, ...]:
        """What is added to the logits divided by the temperature, for each class in order, before the largest wins."""
        in_order = sorted(labels, key=lambda label: label.value)
        return (0.0, *(_log_odds_against(self.thresholds.get(label.key, EVEN_THRESHOLD)) for label in in_order))

    def at_temperature(self, temperature: float) -> Calibration:
        """Another temperature, with the thresholds under which every voxel keeps its label."""
        ratio = self.temperature / temperature
        thresholds = {key: _threshold_of(ratio * _log_odds_against(value)) for key, value in self.thresholds.items()}
        return Calibration(temperature, thresholds, self.record)

    def to_plain(self) -> dict[str, Any]:
        """The calibration as JSON values."""
        return {"temperature": self.temperature, "thresholds": dict(self.thresholds), "record": dict(self.record)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Calibration:
        """The calibration that :meth:`to_plain` described."""
        return cls(plain["temperature"], dict(plain["thresholds"]), dict(plain.get("record", {})))


def _log_odds_against(threshold: float) -> float:
    return math.log((1 - threshold) / threshold)


def _threshold_of(log_odds_against: float) -> float:
    # A threshold of exactly 0 or 1 has no log odds.
    return min(max(1 / (1 + math.exp(min(log_odds_against, 700.0))), 1e-12), 1 - 1e-12)
