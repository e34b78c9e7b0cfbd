from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.ct.offset import HuOffset
from Testing.Logic.standardise.phantoms import ct_array, ct_of


def applied(array, step=None):
    return (step or HuOffset()).apply(ct_of(array), reporter=SilentReporter())


@pytest.mark.parametrize("error", [-40.0, -17.5, 0.0, 3.2, 25.0, 50.0])
def test_a_known_error_is_found_within_half_a_unit(error):
    done = applied(ct_array(error))
    assert done.record.figures["offset_hu"] == pytest.approx(-error, abs=0.5)
    assert done.record.figures["air_hu"] == pytest.approx(-1000 + error, abs=0.5)
    assert done.record.figures["soft_tissue_hu"] == pytest.approx(50 + error, abs=1.5)
    assert done.record.figures["fat_hu"] == pytest.approx(-100 + error, abs=1.5)


def test_the_sentence_says_what_was_measured():
    sentence = applied(ct_array(-3.2)).record.sentence
    assert sentence.startswith("Shifted by +3.")
    assert "air around the body measured -1003." in sentence and "fat" in sentence


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_undoing_gives_every_integer_back_exactly(dtype):
    array = ct_array(7.3, dtype=dtype)
    done = applied(array)
    assert done.volume.array.dtype == np.float32
    assert np.array_equal(done.undo(done.volume.array), array)


def test_the_corrected_scan_needs_no_further_correction():
    again = applied(applied(ct_array(-21)).volume.array)
    assert again.record.figures["offset_hu"] == pytest.approx(0, abs=1 / 16)


def test_lungs_and_fill_values_are_not_taken_for_the_air_around_the_body():
    array = ct_array(12.0)
    array[:, :6] = -1024
    array[:, 30:45, 20:60] = -985
    assert applied(array).record.figures["offset_hu"] == pytest.approx(-12, abs=0.5)


def test_a_scan_without_air_around_the_body_is_refused():
    with pytest.raises(InputError, match="no air around the body"):
        applied(ct_array()[:, 24:56, 24:56])


def test_too_little_air_is_refused():
    array = ct_array()
    array[:, 12:] = np.where(array[:, 12:] < -900, -100, array[:, 12:])
    array[2:] = np.where(array[2:] < -900, -100, array[2:])
    with pytest.raises(InputError, match=r"too little air|no air around"):
        applied(array)


def test_air_that_was_cut_off_is_no_measurement():
    with pytest.raises(InputError, match="air cut off at -1000 HU"):
        applied(np.maximum(ct_array(), -1000))


def test_air_far_from_its_place_is_something_else():
    with pytest.raises(InputError, match="no air within 20 HU"):
        applied(ct_array(45), HuOffset(largest=20))


def test_a_wrong_slope_is_not_taken_for_an_offset():
    """Air at -1030 and soft tissue at 120 ask for shifts in different directions."""
    array = (ct_array().astype(np.float64) * 1.095 + 65).astype(np.int16)
    with pytest.raises(InputError, match="cannot be corrected by a shift"):
        applied(array)


@pytest.mark.parametrize("settings", [{"largest": 0}, {"largest": 120}, {"agree_within": 0}, {"agree_within": np.nan}])
def test_settings_that_would_take_lung_for_air_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        HuOffset(**settings)


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("invesalius_ct_head/ct_head_hu.nii.gz", -0.3),
        ("totalseg_ct/example_ct.nii.gz", -1.6),
        ("totalseg_ct/example_ct_sm.nii.gz", -1.1),
    ],
)
def test_real_scanners_are_off_by_a_unit_or_two_and_an_added_error_is_found(data_folder, name, offset):
    volume = read_volume(data_folder / name)
    done = HuOffset().apply(volume, reporter=SilentReporter())
    assert done.record.figures["offset_hu"] == pytest.approx(offset, abs=0.2)
    wrong = volume.with_array(volume.array + 18)
    done = HuOffset().apply(wrong, reporter=SilentReporter())
    assert done.record.figures["offset_hu"] == pytest.approx(offset - 18, abs=0.2)


@pytest.mark.parametrize("name", ["dicom/dcmqi/segmentations/ct-3slice", "totalseg_ct/aorta_cta/ct_cropped.nii.gz"])
def test_real_scans_that_show_too_little_are_refused(data_folder, name):
    with pytest.raises(InputError, match="cannot be measured"):
        HuOffset().apply(read_volume(data_folder / name), reporter=SilentReporter())
