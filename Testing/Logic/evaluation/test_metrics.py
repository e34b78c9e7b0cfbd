"""Scores have the values of their published definitions and of other implementations."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.metrics import ScoreSettings, compare_masks, dice, hd95

ISOTROPIC = (1.0, 1.0, 1.0)


@pytest.fixture
def empty() -> np.ndarray:
    return np.zeros((6, 7, 8), bool)


@pytest.fixture
def a_block(empty) -> np.ndarray:
    block = empty.copy()
    block[1:4, 1:5, 1:6] = True
    return block


def random_blobs(seed: int) -> tuple[np.ndarray, np.ndarray]:
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(24, 28, 20)), 3)
    other = noise + 0.4 * gaussian_filter(np.random.default_rng(seed + 100).normal(size=noise.shape), 2)
    return noise > np.quantile(noise, 0.85), other > np.quantile(other, 0.83)


def test_counts_by_hand_give_the_scores_by_hand(empty):
    """TP 2, FP 1, FN 2, TN 331 of 336 voxels."""
    found, true = empty.copy(), empty.copy()
    true[0, 0, :4] = True
    found[0, 0, 2:5] = True
    scores = compare_masks(found, true, spacing_kji=(2.0, 1.0, 0.5))
    assert scores.dice == pytest.approx(4 / 7)
    assert scores.sensitivity == pytest.approx(2 / 4)
    assert scores.specificity == pytest.approx(331 / 332)
    assert scores.ppv == pytest.approx(2 / 3)
    assert scores.npv == pytest.approx(331 / 333)
    assert scores.volume_ml == pytest.approx(0.003)
    assert scores.reference_ml == pytest.approx(0.004)


def test_equal_masks_score_best(a_block):
    scores = compare_masks(a_block, a_block, spacing_kji=ISOTROPIC)
    assert (scores.dice, scores.sensitivity, scores.specificity, scores.ppv, scores.npv) == (1, 1, 1, 1, 1)
    assert scores.hd95_mm == 0.0


def test_both_masks_empty_is_full_agreement(empty):
    scores = compare_masks(empty, empty, spacing_kji=ISOTROPIC)
    assert scores.dice == 1.0
    assert (scores.sensitivity, scores.ppv, scores.hd95_mm) == (None, None, None)
    assert (scores.specificity, scores.npv) == (1.0, 1.0)


def test_nothing_found_scores_zero(empty, a_block):
    scores = compare_masks(empty, a_block, spacing_kji=ISOTROPIC)
    assert (scores.dice, scores.sensitivity, scores.ppv, scores.hd95_mm) == (0.0, 0.0, None, None)


def test_something_found_where_nothing_is_scores_zero(empty, a_block):
    scores = compare_masks(a_block, empty, spacing_kji=ISOTROPIC)
    assert (scores.dice, scores.sensitivity, scores.ppv, scores.hd95_mm) == (0.0, None, 0.0, None)


def test_a_mask_that_fills_the_image_has_no_specificity(empty):
    scores = compare_masks(~empty, ~empty, spacing_kji=ISOTROPIC)
    assert (scores.specificity, scores.npv, scores.hd95_mm) == (None, None, 0.0)


@pytest.mark.parametrize(("axis", "expected"), [(0, 3.0), (1, 1.0), (2, 0.5)])
def test_two_voxels_are_as_far_apart_as_their_spacing_says(empty, axis, expected):
    one, other = empty.copy(), empty.copy()
    one[2, 2, 2] = True
    place = [2, 2, 2]
    place[axis] += 1
    other[tuple(place)] = True
    assert hd95(one, other, spacing_kji=(3.0, 1.0, 0.5)) == pytest.approx(expected)


def test_the_larger_of_the_two_directions_counts(empty):
    """From the single voxel the nearest is 0 mm away; from the row the 95th percentile of 0, 1, 2, 3, 4 is 3.8 mm."""
    row, point = empty.copy(), empty.copy()
    row[0, 0, :5] = True
    point[0, 0, 0] = True
    assert hd95(row, point, spacing_kji=ISOTROPIC) == pytest.approx(3.8)
    assert hd95(point, row, spacing_kji=ISOTROPIC) == pytest.approx(3.8)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spacing", [ISOTROPIC, (2.5, 0.7, 1.3)])
def test_real_looking_masks_score_as_monai_says(seed, spacing):
    import torch
    from monai.metrics import compute_dice, compute_hausdorff_distance

    found, true = random_blobs(seed)
    as_batch = [torch.from_numpy(mask)[None, None].float() for mask in (found, true)]
    expected = compute_hausdorff_distance(*as_batch, include_background=True, percentile=95, spacing=spacing)
    assert hd95(found, true, spacing_kji=spacing) == pytest.approx(float(expected), abs=1e-4)
    assert dice(found, true) == pytest.approx(float(compute_dice(*as_batch, include_background=True)), abs=1e-6)


def test_rates_are_those_of_monais_confusion_matrix():
    import torch
    from monai.metrics import compute_confusion_matrix_metric, get_confusion_matrix

    found, true = random_blobs(9)
    counts = get_confusion_matrix(*(torch.from_numpy(m)[None, None].float() for m in (found, true)))
    scores = compare_masks(found, true, spacing_kji=ISOTROPIC)
    for ours, theirs in (
        (scores.sensitivity, "sensitivity"),
        (scores.specificity, "specificity"),
        (scores.ppv, "precision"),
        (scores.npv, "negative predictive value"),
    ):
        assert ours == pytest.approx(float(compute_confusion_matrix_metric(theirs, counts)), abs=1e-6)


def test_label_values_other_than_one_count_as_inside(a_block):
    assert dice(a_block.astype(np.uint8) * 7, a_block) == 1.0


def test_masks_of_different_shape_are_refused_with_a_sentence(a_block):
    with pytest.raises(InputError, match="cannot be compared"):
        compare_masks(a_block, a_block[1:], spacing_kji=ISOTROPIC)


def test_volume_errors_have_no_sign_and_are_in_ml_and_percent_of_the_reference(empty):
    found, true = empty.copy(), empty.copy()
    true[0, 0, :4] = True
    found[0, 0, 2:5] = True
    scores = compare_masks(found, true, spacing_kji=(2.0, 1.0, 0.5))
    assert scores.volume_error_ml == pytest.approx(0.001)
    assert scores.volume_error_percent == pytest.approx(25.0)
    assert compare_masks(true, found, spacing_kji=(2.0, 1.0, 0.5)).volume_error_ml == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("found", "true", "surface", "error_percent", "lesion_f1", "lesion_sensitivity", "false_lesions"),
    [
        (False, False, 1.0, None, 1.0, None, 0),
        (False, True, 0.0, 100.0, 0.0, 0.0, 0),
        (True, False, 0.0, None, 0.0, None, 1),
    ],
)
def test_empty_masks_have_defined_scores(
    empty, a_block, found, true, surface, error_percent, lesion_f1, lesion_sensitivity, false_lesions
):
    scores = compare_masks(*(a_block if there else empty for there in (found, true)), spacing_kji=ISOTROPIC)
    assert scores.surface_dice == surface
    assert scores.volume_error_percent == error_percent
    assert scores.volume_error_ml == (0.06 if found != true else 0.0)
    assert scores.lesion_f1 == lesion_f1
    assert scores.lesion_sensitivity == lesion_sensitivity
    assert scores.lesion_false_positives == false_lesions


def test_the_settings_decide_surface_dice_and_lesions(a_block):
    moved = np.roll(a_block, 2, axis=2)
    strict = compare_masks(
        moved, a_block, spacing_kji=ISOTROPIC, settings=ScoreSettings(tolerance_mm=0.0, lesion_iou=0.9)
    )
    lenient = compare_masks(
        moved, a_block, spacing_kji=ISOTROPIC, settings=ScoreSettings(tolerance_mm=2.0, lesion_iou=0.4)
    )
    assert strict.surface_dice < lenient.surface_dice == 1.0
    assert (strict.lesion_f1, lenient.lesion_f1) == (0.0, 1.0)
    assert strict.dice == lenient.dice


def test_where_a_structure_lies_in_the_array_changes_nothing_but_the_background(a_block):
    """The scores are computed inside the box of both masks; what lies outside is counted."""
    other = np.roll(a_block, 1, axis=1)
    wide = [np.pad(mask, ((9, 1), (0, 4), (20, 3))) for mask in (other, a_block)]
    near, far = (compare_masks(*pair, spacing_kji=(2.0, 1.0, 0.5)) for pair in ((other, a_block), wide))
    assert dataclasses.replace(far, specificity=near.specificity, npv=near.npv) == near
    false_positives = int((other & ~a_block).sum())
    assert far.specificity == pytest.approx(1 - false_positives / (~wide[1]).sum())


@pytest.mark.parametrize("settings", [{"tolerance_mm": -1.0}, {"tolerance_mm": np.nan}, {"lesion_iou": 1.5}])
def test_settings_outside_their_range_are_refused(settings):
    with pytest.raises(InputError, match="not usable"):
        ScoreSettings(**settings)
