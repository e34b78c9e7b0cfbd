"""Found and missed lesions: the connected parts of one mask matched with those of another.

A lesion is a connected component of a mask; voxels that touch at a face, an edge or a corner belong together (26
neighbours). A lesion of the prediction and one of the reference match where they share at least one voxel, or where
their intersection over union reaches a threshold. A reference lesion with a match is found; a predicted one without a
match is a false positive. Several parts of one lesion, each with a match, are no false positives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.masks import as_masks, box_around

_TOUCHING = np.ones((3, 3, 3), bool)


@dataclass(frozen=True)
class LesionScores:
    """How many lesions were found, and how many are not there.

    Args:
        reference: Number of lesions in the reference.
        predicted: Number of lesions in the prediction.
        found: Reference lesions with a match.
        false_positives: Predicted lesions without a match.
    """

    reference: int
    predicted: int
    found: int
    false_positives: int

    @property
    def sensitivity(self) -> float | None:
        """The part of the reference lesions that was found; None where there is none."""
        return self.found / self.reference if self.reference else None

    @property
    def f1(self) -> float:
        """Harmonic mean of sensitivity and the matching part of the predicted lesions.

        1 where neither mask has a lesion, 0 where only one of them has.
        """
        if not self.reference or not self.predicted:
            return float(self.reference == self.predicted)
        sensitivity, precision = self.found / self.reference, 1 - self.false_positives / self.predicted
        return 2 * sensitivity * precision / (sensitivity + precision) if sensitivity + precision else 0.0


def match_lesions(predicted: np.ndarray, reference: np.ndarray, *, iou_at_least: float = 0.0) -> LesionScores:
    """Count found, missed and wrong lesions.

    Args:
        predicted: (k, j, i), non-zero is inside.
        reference: (k, j, i), voxel by voxel the prediction.
        iou_at_least: Intersection over union 0..1 that a match needs; 0 asks for a shared voxel.

    Raises:
        InputError: if the masks differ in shape, or the threshold is outside 0..1.
    """
    if not 0 <= iou_at_least <= 1:
        raise InputError(f"An overlap of {iou_at_least} cannot be asked for.", advice="Choose a value from 0 to 1.")
    found, true = as_masks(predicted, reference)
    box = box_around(found | true)
    if box is None:
        return LesionScores(0, 0, 0, 0)
    ours, our_count = connected_lesions(found[box.slices])
    theirs, their_count = connected_lesions(true[box.slices])
    # Only pairs that meet are counted: a noisy prediction may have a hundred thousand parts.
    meet = (ours > 0) & (theirs > 0)
    pairs, both = np.unique(np.column_stack([ours[meet], theirs[meet]]), axis=0, return_counts=True)
    sizes = np.bincount(ours.ravel())[pairs[:, 0]] + np.bincount(theirs.ravel())[pairs[:, 1]]
    matched = pairs[both >= iou_at_least * (sizes - both)]
    return LesionScores(
        reference=their_count,
        predicted=our_count,
        found=len(np.unique(matched[:, 1])),
        false_positives=our_count - len(np.unique(matched[:, 0])),
    )


def connected_lesions(mask: np.ndarray) -> tuple[np.ndarray, int]:
    """The connected parts of a mask (k, j, i), numbered from 1 in an int32 array of its shape, and how many they are.

    Voxels that touch at a face, an edge or a corner belong together.
    """
    from scipy.ndimage import label

    parts, count = label(mask, structure=_TOUCHING)
    return parts, int(count)
