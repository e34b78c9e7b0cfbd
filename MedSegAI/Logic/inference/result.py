"""What a segmentation run gives; kept apart from the run so that a face can hold a result without loading torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.volume import Volume

ShowPart = Callable[[Box, np.ndarray], None]
"""Is shown a box (k, j, i) of the scan's grid and its uint8 labels, which may be a view: valid until it returns."""


@dataclass(frozen=True, eq=False)
class SegmentationResult:
    """What a run gives.

    Args:
        labels: uint8 label map (k, j, i) on the scan's own grid.
        table: Names of the label values.
        confidence: float16 (k, j, i) on the scan's grid: probability of the label that won; 0 where the network did
            not look. None where it was not asked for.
        provenance: How the result came about.
        changed: Box outside which every voxel is background, None where the network found nothing.
        label_confidence: For each label that was found, by its key, the mean (0..1) of the probability that its voxels'
            winning label had: softmax of the blended windows' logits, over the label's voxels in model space, as they
            were before the labels were brought back to the scan's grid. Not calibrated: it ranks, and promises no rate
            of errors. None where it was not asked for.
    """

    labels: Volume
    table: LabelTable
    confidence: Volume | None
    provenance: Provenance
    changed: Box | None
    label_confidence: dict[str, float] | None = None
