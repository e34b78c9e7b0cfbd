"""The rule by which a model's card wants intensities brought to the network's range."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Normalisation:
    """How intensities are brought to the network's range; see ``Logic/standardise/intensity.py`` for the kinds."""

    kind: str
    clip_percentiles: tuple[float, float] | None = None
    clip_values: tuple[float, float] | None = None
