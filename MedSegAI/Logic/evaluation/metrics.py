"""How well one mask matches another: overlap, rates, distances, volumes and lesions, with stated answers for none.

Definitions follow Taha and Hanbury 2015, *Metrics for evaluating 3D medical image segmentation*, BMC Medical Imaging
15:29. TP, FP, FN and TN count voxels of the whole array. The page docs/evaluation.md has them in one table.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.lesions import match_lesions
from MedSegAI.Logic.evaluation.masks import as_masks, box_around
from MedSegAI.Logic.evaluation.surface_dice import surface_dice
from MedSegAI.Logic.evaluation.surfaces import hd95_between, surface_voxels


@dataclass(frozen=True)
class ScoreSettings:
    """What the scores depend on beside the masks.

    Args:
        tolerance_mm: Distance in mm that surface Dice takes for agreement.
        lesion_iou: Intersection over union from which lesions match; 0 asks for one shared voxel.

    Raises:
        InputError: for a tolerance below zero or an overlap outside 0..1.
    """

    tolerance_mm: float = 1.0
    lesion_iou: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.tolerance_mm < np.inf:
            raise InputError(
                f"A tolerance of {self.tolerance_mm} mm is not usable.", advice="Choose a distance of 0 mm or more."
            )
        if not 0 <= self.lesion_iou <= 1:
            raise InputError(
                f"A lesion overlap of {self.lesion_iou} is not usable.", advice="Choose a value from 0 to 1."
            )

    def to_plain(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class MaskScores:
    """One predicted mask against its reference; None where a score is not defined, or was not measured.

    Args:
        dice: 2 TP / (2 TP + FP + FN); 1 where both masks are empty, 0 where one of them is.
        sensitivity: TP / (TP + FN): the part of the reference that was found; None where the reference is empty.
        specificity: TN / (TN + FP); depends on how much background the image holds. None where there is none.
        ppv: Positive predictive value, TP / (TP + FP); None where the prediction is empty.
        npv: Negative predictive value, TN / (TN + FN); None where the prediction fills the image.
        hd95_mm: 95th percentile Hausdorff distance in mm, see :func:`hd95`; None where a mask is empty.
        volume_ml: Volume of the predicted mask in mL.
        reference_ml: Volume of the reference in mL.
        surface_dice: Share of both surfaces' area within a tolerance of the other; 1 where both masks are empty, 0
            where one of them is.
        volume_error_ml: Difference of both volumes in mL, without its sign.
        volume_error_percent: The same in percent of the reference; None where that is empty.
        lesion_f1: Harmonic mean of the parts of the lesions that were found and that are right; 1 where both masks are
            empty, 0 where one of them is. See :mod:`MedSegAI.Logic.evaluation.lesions`.
        lesion_sensitivity: The part of the reference's lesions that was found; None where the reference is empty.
        lesion_false_positives: Predicted lesions that match none.
    """

    dice: float
    sensitivity: float | None
    specificity: float | None
    ppv: float | None
    npv: float | None
    hd95_mm: float | None
    volume_ml: float
    reference_ml: float
    surface_dice: float | None = None
    volume_error_ml: float | None = None
    volume_error_percent: float | None = None
    lesion_f1: float | None = None
    lesion_sensitivity: float | None = None
    lesion_false_positives: int | None = None


def compare_masks(
    predicted: np.ndarray,
    reference: np.ndarray,
    *,
    spacing_kji: tuple[float, float, float],
    settings: ScoreSettings | None = None,
) -> MaskScores:
    """All scores of a pair of masks.

    Args:
        predicted: (k, j, i), non-zero is inside.
        reference: (k, j, i), voxel by voxel the prediction.
        spacing_kji: Spacing in mm along k, j, i.
        settings: None takes the defaults.

    Raises:
        InputError: if the masks differ in shape.
    """
    settings = settings or ScoreSettings()
    found, true = as_masks(predicted, reference)
    voxels = found.size
    box = box_around(found | true)
    if box is not None:
        # What lies outside counts as background only, whose number is known.
        found, true = found[box.slices], true[box.slices]
    both, found_count, true_count = (int(np.count_nonzero(m)) for m in (found & true, found, true))
    neither = voxels - found_count - true_count + both
    voxel_ml = float(np.prod(spacing_kji)) / 1000.0
    error_ml = abs(found_count - true_count) * voxel_ml
    lesions = match_lesions(found, true, iou_at_least=settings.lesion_iou)
    return MaskScores(
        dice=_ratio(2 * both, found_count + true_count, otherwise=1.0),
        sensitivity=_ratio(both, true_count),
        specificity=_ratio(neither, voxels - true_count),
        ppv=_ratio(both, found_count),
        npv=_ratio(neither, voxels - found_count),
        hd95_mm=hd95(found, true, spacing_kji=spacing_kji),
        volume_ml=found_count * voxel_ml,
        reference_ml=true_count * voxel_ml,
        surface_dice=surface_dice(found, true, spacing_kji=spacing_kji, tolerance_mm=settings.tolerance_mm),
        volume_error_ml=error_ml,
        volume_error_percent=_ratio(100 * error_ml, true_count * voxel_ml),
        lesion_f1=lesions.f1,
        lesion_sensitivity=lesions.sensitivity,
        lesion_false_positives=lesions.false_positives,
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


def _ratio(part: float, whole: float, *, otherwise: float | None = None) -> float | None:
    return part / whole if whole else otherwise
