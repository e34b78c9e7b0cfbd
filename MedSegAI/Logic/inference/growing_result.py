"""A result on the scan's grid that grows while planes are finished, and whoever is shown it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.inference.region_parts import Part, Planes, RegionParts
from MedSegAI.Logic.inference.result import ShowPart


@dataclass(frozen=True, eq=False)
class GrowingResult:
    """Labels, and the confidence where it is kept, on the scan's grid.

    Args:
        labels: (k, j, i) uint8; what was found first stays where regions overlap.
        confidence: (k, j, i) float16, or None.
        show: Is shown each part.
    """

    labels: np.ndarray
    confidence: np.ndarray | None
    show: ShowPart | None

    def add(self, parts: RegionParts, part: Part, labels: Planes, confidence: Planes | None) -> None:
        """Write a part of a region, and show it."""
        found, at = parts.labels(part, labels), part.box.slices
        target = self.labels[at]
        np.copyto(target, found, where=(found > 0) & (target == 0))
        if self.confidence is not None:
            looked_at = parts.confidence(part, confidence)
            np.maximum(self.confidence[at], looked_at, out=self.confidence[at], casting="same_kind")
        self.show_again(part.box)

    def preview(self, parts: RegionParts, part: Part, labels: Planes) -> None:
        """Show a part that may still change, and write nothing."""
        if self.show is not None:
            target = self.labels[part.box.slices]
            self.show(part.box, np.where(target == 0, parts.labels(part, labels), target))

    def show_again(self, box: Box) -> None:
        """Show what is there."""
        if self.show is not None:
            self.show(box, self.labels[box.slices])
