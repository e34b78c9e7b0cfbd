"""A result on the scan's grid that grows while planes are finished, and whoever is shown it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.mapped_labels import MappedLabels
from MedSegAI.Logic.inference.region_parts import Part, Planes, RegionParts
from MedSegAI.Logic.inference.result import ShowPart
from MedSegAI.Logic.settings import ConfidenceChoice, RunSettings


@dataclass(frozen=True, eq=False)
class GrowingResult:
    """Labels, and the confidence where it is kept, on the scan's grid.

    Args:
        labels: (k, j, i) uint8; what was found first stays where regions overlap.
        confidence: (k, j, i) float16, or None.
        show: Is shown each part.
        release: Is called after each part was written and shown; lets go of memory that the labels need not take.
    """

    labels: np.ndarray
    confidence: np.ndarray | None
    show: ShowPart | None
    release: Callable[[], None] = lambda: None

    @classmethod
    def on(cls, grid: Grid, *, settings: RunSettings, show: ShowPart | None, room: Path | None) -> GrowingResult:
        """An empty result on a scan's grid, in memory or in a file in ``room``.

        Raises:
            StorageError: if there is no room.
        """
        wanted = settings.confidence is ConfidenceChoice.PER_VOXEL
        confidence = np.zeros(grid.shape, dtype=np.float16) if wanted else None
        if room is None:
            return cls(np.zeros(grid.shape, dtype=np.uint8), confidence, show)
        labels = MappedLabels(room, grid.shape)
        return cls(labels.array, confidence, show, labels.release)

    def add(self, parts: RegionParts, part: Part, labels: Planes, confidence: Planes | None) -> None:
        """Write a part of a region, and show it."""
        found, at = parts.labels(part, labels), part.box.slices
        target = self.labels[at]
        np.copyto(target, found, where=(found > 0) & (target == 0))
        if self.confidence is not None:
            looked_at = parts.confidence(part, confidence)
            np.maximum(self.confidence[at], looked_at, out=self.confidence[at], casting="same_kind")
        self.show_again(part.box)
        self.release()

    def preview(self, parts: RegionParts, part: Part, labels: Planes) -> None:
        """Show a part that may still change, and write nothing."""
        if self.show is not None:
            target = self.labels[part.box.slices]
            self.show(part.box, np.where(target == 0, parts.labels(part, labels), target))

    def show_again(self, box: Box) -> None:
        """Show what is there."""
        if self.show is not None:
            self.show(box, self.labels[box.slices])
