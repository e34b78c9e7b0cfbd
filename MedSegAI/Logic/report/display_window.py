"""Which values of a scan are shown from dark to bright, so that a picture shows what a reader looks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.standardise.ct.window import WindowCt
from MedSegAI.Logic.standardise.sampled_voxels import sampled
from MedSegAI.Logic.volume import Unit, Volume

SOFT_TISSUE_HU = (-160.0, 240.0)
_SUV_AT_LEAST, _SUV_AT_MOST = 2.5, 10.0
_SUV = (Unit.SUV_BODY_WEIGHT, Unit.SUV_LEAN_BODY_MASS)
_PET = (*_SUV, Unit.SUV_BODY_SURFACE, Unit.ACTIVITY, Unit.COUNTS)


@dataclass(frozen=True)
class DisplayWindow:
    """A range of values and how it is shown.

    Args:
        low: Shown at one end of the greys, and all below it.
        high: Shown at the other end, and all above it; more than ``low``.
        dark_is_high: Whether high values are dark, as nuclear medicine shows uptake.
    """

    low: float
    high: float
    dark_is_high: bool = False


def display_window(volume: Volume) -> DisplayWindow:
    """The window to show a scan in, by its unit.

    What the step "window" made: all of it. HU: soft tissue, -160..240. SUV by weight or lean mass: from 0 to the
    hottest 0.2%, at least 2.5 and at most 10. Other PET values: from 0 to the hottest 0.2%. Anything else: the middle
    99% of what is brighter than the darkest value, which in most scans is the outside. Of a large scan only some voxels
    are looked at.
    """
    if volume.steps and volume.steps[-1].step == WindowCt.kind:
        return DisplayWindow(0.0, 255.0 if volume.array.dtype.kind == "u" else 1.0)
    if volume.unit is Unit.HOUNSFIELD:
        return DisplayWindow(*SOFT_TISSUE_HU)
    values = sampled(volume.array)
    values = values[np.isfinite(values)]
    if volume.unit in _PET:
        high = float(np.percentile(values, 99.8)) if values.size else 1.0
        if volume.unit in _SUV:
            high = float(np.clip(high, _SUV_AT_LEAST, _SUV_AT_MOST))
        return DisplayWindow(0.0, high if high > 0 else 1.0, dark_is_high=True)
    return _middle(values)


def _middle(values: np.ndarray) -> DisplayWindow:
    darkest = float(values.min()) if values.size else 0.0
    shown = values[values > darkest]
    if not shown.size:
        return DisplayWindow(darkest, darkest + 1.0)
    low, high = (float(value) for value in np.percentile(shown, (0.5, 99.5)))
    # What lies outside is black, and no tissue is.
    low = min(low, darkest + 0.2 * (high - darkest))
    return DisplayWindow(low, high if high > low else low + 1.0)
