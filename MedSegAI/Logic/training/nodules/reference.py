"""What counts as a nodule's true outline, from what several radiologists drew."""

from __future__ import annotations

import numpy as np
import torch

from MedSegAI.Logic.consensus.fuse import FuseSettings, Method, fuse
from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.training.nodules.case import NoduleCase
from MedSegAI.Logic.training.nodules.config import ReferenceKind

STAPLE_MARGIN_MM = 10.0
"""As in the study of raters: from 2 mm on the mask hardly changes."""

_TABLE = LabelTable((Label(1, "nodule", "Nodule", (0.9, 0.3, 0.2)),))


def consensus_of(masks: np.ndarray, *, method: Method = Method.STAPLE) -> np.ndarray:
    """The consensus (k, j, i) uint8 of masks (readers, k, j, i) uint8, voxels of 1 mm.

    Of two readers both methods keep what both drew.
    """
    ratings = tuple(Rating(f"reader {number}", mask) for number, mask in enumerate(masks, start=1))
    settings = FuseSettings(margin_mm=STAPLE_MARGIN_MM)
    return fuse(Ratings(Grid(masks.shape[1:]), _TABLE, ratings), method=method, settings=settings).labels


def reference_of(case: NoduleCase, kind: ReferenceKind, *, generator: torch.Generator | None = None) -> np.ndarray:
    """The probability (k, j, i) float32 that each voxel belongs to the nodule: 0 or 1 for all kinds but SOFT.

    With fewer than three readers STAPLE and MAJORITY give the consensus that the case has already.

    Args:
        case: The nodule.
        kind: What of the readers' outlines is wanted.
        generator: Draws the reader; needed for RANDOM_READER only.
    """
    if kind is ReferenceKind.SOFT:
        return case.readers.mean(axis=0, dtype=np.float32)
    if kind is ReferenceKind.RANDOM_READER:
        chosen = case.readers[int(torch.randint(len(case.readers), (1,), generator=generator))]
    elif kind is ReferenceKind.ONE_READER:
        chosen = case.readers[0]
    elif kind is ReferenceKind.MAJORITY and len(case.readers) >= FEWEST_FUSED:
        chosen = consensus_of(case.readers, method=Method.MAJORITY)
    else:
        chosen = case.consensus
    return chosen.astype(np.float32)


FEWEST_FUSED = 3
"""With two readers a consensus is only what both drew, which is smaller than what either drew."""
