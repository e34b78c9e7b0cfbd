"""What one step of preparation did to a scan: the record that travels with the scan from then on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Plain = str | float | int | bool | None


@dataclass(frozen=True)
class StepRecord:
    """One step that a scan went through.

    Args:
        step: Key of the step, such as "n4" or "suv"; see ``Logic/standardise/catalogue.py``.
        sentence: What was done and what was found, in plain words with units, such as "Shifted by +3.2 HU: air
            measured -1003.2 HU.".
        settings: The step's settings, enough to do it again.
        figures: What was measured on the way, by name with its unit, such as ``{"air_hu": -1003.2}``.
    """

    step: str
    sentence: str
    settings: Mapping[str, Plain | list[Plain]] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """The record as JSON values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> StepRecord:
        """The record that :meth:`to_plain` described."""
        return cls(plain["step"], plain["sentence"], dict(plain["settings"]), dict(plain["figures"]))
