"""Lesions are matched by a stated rule."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.lesions import LesionScores, connected_lesions, match_lesions


def mask_of(*rows: slice, shape=(4, 5, 40)) -> np.ndarray:
    """Lesions along a row of voxels."""
    mask = np.zeros(shape, bool)
    for row in rows:
        mask[2, 2, row] = True
    return mask


def test_counts_by_hand():
    """Of three lesions two are found, one by two parts; one predicted lesion matches none."""
    reference = mask_of(slice(0, 6), slice(10, 14), slice(20, 22))
    predicted = mask_of(slice(0, 2), slice(4, 6), slice(12, 16), slice(30, 33))
    scores = match_lesions(predicted, reference)
    assert scores == LesionScores(reference=3, predicted=4, found=2, false_positives=1)
    assert scores.sensitivity == pytest.approx(2 / 3)
    assert scores.f1 == pytest.approx(2 * (2 / 3) * (3 / 4) / (2 / 3 + 3 / 4))


def test_a_threshold_asks_for_more_than_a_shared_voxel():
    """Intersection over union: 2 of 6, 2 of 6, 2 of 6."""
    reference = mask_of(slice(0, 6), slice(10, 14))
    predicted = mask_of(slice(0, 2), slice(4, 6), slice(12, 16))
    assert match_lesions(predicted, reference, iou_at_least=0.3).f1 == 1.0
    assert match_lesions(predicted, reference, iou_at_least=1 / 3).found == 2
    assert match_lesions(predicted, reference, iou_at_least=0.35) == LesionScores(2, 3, 0, 3)
    assert match_lesions(predicted, reference, iou_at_least=0.35).f1 == 0.0


def test_voxels_that_touch_at_a_corner_are_one_lesion():
    mask = np.zeros((3, 3, 3), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = True
    assert connected_lesions(mask)[1] == 1
    mask[1, 1, 1] = False
    mask[0, 0, 2] = True
    assert connected_lesions(mask)[1] == 2


def test_one_predicted_lesion_may_find_two():
    assert match_lesions(mask_of(slice(0, 14)), mask_of(slice(0, 3), slice(10, 14))) == LesionScores(2, 1, 2, 0)


@pytest.mark.parametrize(
    ("predicted", "reference", "f1", "sensitivity", "false_positives"),
    [
        ((), (), 1.0, None, 0),
        ((slice(0, 2), slice(5, 6)), (), 0.0, None, 2),
        ((), (slice(0, 2),), 0.0, 0.0, 0),
    ],
)
def test_nothing_predicted_or_nothing_there_has_a_defined_answer(
    predicted, reference, f1, sensitivity, false_positives
):
    scores = match_lesions(mask_of(*predicted), mask_of(*reference))
    assert (scores.f1, scores.sensitivity, scores.false_positives) == (f1, sensitivity, false_positives)


def test_a_prediction_of_thousands_of_specks_is_counted():
    specks = np.zeros((40, 60, 60), bool)
    specks[::2, ::2, ::2] = True
    reference = np.zeros_like(specks)
    reference[0, 0, 0:3] = True
    assert match_lesions(specks, reference) == LesionScores(1, 20 * 30 * 30, 1, 20 * 30 * 30 - 2)


def test_a_threshold_outside_0_to_1_is_refused():
    with pytest.raises(InputError, match="cannot be asked for"):
        match_lesions(mask_of(), mask_of(), iou_at_least=2)
