from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.standardise.mr.foreground import foreground_mask, otsu_threshold, require_foreground_kind
from Testing.Logic.standardise.phantoms import ball, head_array


def test_a_head_in_a_dark_background_is_found_by_itself():
    array = head_array()
    mask = foreground_mask(array, "auto", name="head")
    assert np.array_equal(mask, ball(array.shape, 0.44))


def test_a_crop_without_background_is_all_foreground():
    crop = head_array()[12:28, 14:34, 12:32]
    assert foreground_mask(crop, "auto", name="crop").all()


def test_above_zero_and_all_mean_what_they_say():
    array = np.array([-3, 0, 2, 5]).reshape(1, 2, 2)
    assert foreground_mask(array, "positive", name="four").sum() == 2
    assert foreground_mask(array, "all", name="four").sum() == 4


def test_otsus_threshold_is_simpleitks(data_folder):
    array = read_volume(data_folder / "totalseg_ct" / "example_mr_sm.nii.gz").array
    filter_ = sitk.OtsuThresholdImageFilter()
    filter_.SetNumberOfHistogramBins(256)
    filter_.Execute(sitk.GetImageFromArray(array))
    assert otsu_threshold(array) == pytest.approx(filter_.GetThreshold(), abs=2 * np.ptp(array) / 256)


@pytest.mark.parametrize("scale", [1, 1000, 1e-3])
def test_otsus_threshold_lies_between_two_classes_whatever_the_scale_and_one_bright_voxel(scale):
    array = np.repeat([10.0, 90.0], [600, 400]).reshape(10, 10, 10) + np.random.default_rng(0).normal(
        0, 3, (10, 10, 10)
    )
    array[0, 0, 0] = 100_000
    assert 20 * scale < otsu_threshold(array * scale) < 80 * scale


def test_a_scan_that_is_dark_but_for_a_few_voxels_has_a_threshold_too():
    array = np.zeros((20, 20, 20))
    array[10, 10, 10] = 5
    assert foreground_mask(array, "otsu", name="star").sum() == 1


def test_no_foreground_at_all_is_refused():
    with pytest.raises(InputError, match="no voxels in its foreground"):
        foreground_mask(np.full((2, 2, 2), -1.0), "positive", name="dark")


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="auto, otsu, positive, all"):
        require_foreground_kind("brain")


def test_real_heads_have_a_background_and_hippocampus_crops_have_none(data_folder, hippocampus_crops):
    head = read_volume(data_folder / "mr_heads" / "MR_Gd.nii.gz").array[::2, ::2, ::2]
    assert 0.2 < foreground_mask(head, "auto", name="head").mean() < 0.5
    for crop in hippocampus_crops:
        assert foreground_mask(read_volume(crop.image).array, "auto", name=crop.name).all()
