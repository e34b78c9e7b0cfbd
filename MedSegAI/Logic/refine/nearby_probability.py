"""The network's probability of a label, known near the strokes alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.refine.settings import RefineSettings
from MedSegAI.Logic.volume import Volume


@dataclass(frozen=True, eq=False)
class NearbyProbability:
    """The probability of the label in a box.

    Args:
        box: The box (k, j, i) of the scan's grid.
        values: float (k, j, i) over the box, 0..1, not a number where unknown.
    """

    box: Box
    values: np.ndarray

    def within(self, box: Box) -> np.ndarray:
        """The probability in another box, not a number where it is not known."""
        found = np.full(box.shape, np.nan, dtype=np.float32)
        start = tuple(map(max, self.box.start, box.start))
        stop = tuple(map(min, self.box.stop, box.stop))
        if all(a < b for a, b in zip(start, stop)):
            both = Box(start, stop)
            there = self.values[both.shift(tuple(-a for a in self.box.start)).slices]
            found[both.shift(tuple(-a for a in box.start)).slices] = there
        return found


def box_within_reach(strokes: Volume, *, settings: RefineSettings | None = None) -> Box | None:
    """The box (k, j, i) that strokes on a scan's grid can change, None where there is no stroke."""
    around = Box.around(strokes.array)
    if around is None:
        return None
    reach_mm = (settings or RefineSettings()).reach_mm
    margins = [math.ceil(reach_mm / spacing) + 1 for spacing in strokes.grid.spacing_kji]
    start = tuple(a - margin for a, margin in zip(around.start, margins))
    stop = tuple(b + margin for b, margin in zip(around.stop, margins))
    return Box(start, stop).clip(strokes.grid.shape)
