"""The rule by which a model's card wants intensities brought to the network's range."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Normalisation:
    """How intensities are brought to the network's range; see ``Logic/standardise/intensity.py`` for the kinds.

    Args:
        kind: "none" (clip only), "z_score" (mean 0, standard deviation 1) or "range" (0 to 1).
        clip_percentiles: Lowest and highest percentile that are kept, taken over the whole image. None: no clipping.
        clip_values: Lowest and highest value that are kept, in the image's unit, such as HU. None: no clipping.
    """

    kind: str
    clip_percentiles: tuple[float, float] | None = None
    clip_values: tuple[float, float] | None = None
