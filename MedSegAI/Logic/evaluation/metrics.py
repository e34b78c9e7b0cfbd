"""How well one mask matches another: overlap, rates and surface distance, with stated answers for empty masks.

Definitions follow Taha and Hanbury 2015, *Metrics for evaluating 3D medical image segmentation*, BMC Medical Imaging
15:29. TP, FP, FN and TN count voxels of the whole array.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.surfaces import hd95_between, surface_voxels


@dataclass(frozen=True)
class MaskScores:
    """One predicted mask against its reference; a ratio whose denominator is zero is None.

    Args:
        dice: 2 TP / (2 TP + FP + FN); 1 where both masks are empty, 0 where one of them is.
        sensitivity: TP / (TP + FN): the part of the reference that was found.
        specificity: TN / (TN + FP); depends on how much background the image holds.
        ppv: Positive predictive value, TP / (TP + FP).
        npv: Negative predictive value, TN / (TN + FN).
        hd95_mm: 95th percentile Hausdorff distance in mm, see :func:`hd95`; None where a mask is empty.
        volume_ml: Volume of the predicted mask in mL.
        reference_ml: Volume of the reference in mL.
    """

    dice: float
    sensitivity: float | None
    specificity: float | None
    ppv: float | None
    npv: float | None
    hd95_mm: float | None
    volume_ml: float
    reference_ml: float


def compare_masks(
    predicted: np.ndarray, reference: np.ndarray, *, spacing_kji: tuple[float, float, float]
) -> MaskScores:
    """All scores of a pair of masks.

    Args:
        predicted: (k, j, i), non-zero is inside.
        reference: (k, j, i), voxel by voxel the prediction.
        spacing_kji: Spacing in mm along k, j, i.

    Raises:
        InputError: if the masks differ in shape.
    """
    found, true = as_masks(predicted, reference)
    both, found_count, true_count = (int(np.count_nonzero(m)) for m in (found & true, found, true))
    neither = found.size - found_count - true_count + both
    voxel_ml = float(np.prod(spacing_kji)) / 1000.0
    return MaskScores(
        dice=_ratio(2 * both, found_count + true_count, otherwise=1.0),
        sensitivity=_ratio(both, true_count),
        specificity=_ratio(neither, found.size - true_count),
        ppv=_ratio(both, found_count),
        npv=_ratio(neither, found.size - found_count),
        hd95_mm=hd95(found, true, spacing_kji=spacing_kji),
        volume_ml=found_count * voxel_ml,
        reference_ml=true_count * voxel_ml,
    )


def dice(predicted: np.ndarray, reference: np.ndarray) -> float:
    """Dice coefficient 0..1 of two masks (k, j, i); 1 where both are empty.

    Raises:
        InputError: if the masks differ in shape.
    """
    found, true = as_masks(predicted, reference)
    both = int(np.count_nonzero(found & true))
    return _ratio(2 * both, int(np.count_nonzero(found)) + int(np.count_nonzero(true)), otherwise=1.0)


def hd95(predicted: np.ndarray, reference: np.ndarray, *, spacing_kji: tuple[float, float, float]) -> float | None:
    """Symmetric 95th percentile Hausdorff distance in mm; None where a mask is empty.

    The surface of a mask is its voxels with a face neighbour outside the mask; the outside of the array is outside.
    From the centre of each surface voxel of one mask the distance to the nearest surface voxel of the other is taken;
    the result is the larger of the two 95th percentiles (linear interpolation), one for each direction. Other programs
    pool both directions or weigh by surface area and give other numbers.

    Args:
        predicted: (k, j, i), non-zero is inside.
        reference: (k, j, i), voxel by voxel the prediction.
        spacing_kji: Spacing in mm along k, j, i.

    Raises:
        InputError: if the masks differ in shape.
    """
    surfaces = [surface_voxels(mask, spacing_kji=spacing_kji) for mask in as_masks(predicted, reference)]
    return hd95_between(*surfaces)


def as_masks(predicted: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays (k, j, i) as bool masks: non-zero is inside.

    Raises:
        InputError: if they differ in shape.
    """
    if predicted.shape != reference.shape:
        raise InputError(
            f"Two masks of shape {predicted.shape} and {reference.shape} cannot be compared.",
            advice="Resample one of them to the other's grid.",
        )
    return np.asarray(predicted) != 0, np.asarray(reference) != 0


def _ratio(part: int, whole: int, *, otherwise: float | None = None) -> float | None:
    return part / whole if whole else otherwise
