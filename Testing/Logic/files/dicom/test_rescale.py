"""Stored numbers become those that the scanner means: Hounsfield units where they are, air where nothing was seen."""

from __future__ import annotations

import numpy as np
import pydicom

from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.volume import Modality, Unit
from Testing.synthetic_series import a_pattern, edit, write_series


def test_a_table_in_place_of_a_slope_is_refused(refused, tmp_path):
    def change(dataset, k):
        dataset.ModalityLUTSequence = [pydicom.Dataset()]

    write_series(tmp_path / "series", a_pattern(), change=change)
    assert "by a table (modality LUT)" in refused(tmp_path / "series")


def test_values_too_large_for_16_bits_are_kept(tmp_path):
    array = a_pattern(high=30000).astype(np.uint16) * 2
    write_series(tmp_path / "series", array, modality="MR", intercept=-1)
    volume = read_volume(tmp_path / "series")
    assert volume.array.dtype == np.int32
    np.testing.assert_array_equal(volume.array, array.astype(int) - 1)


def test_a_ct_with_its_intercept_is_in_hounsfield_units(data_folder):
    """Its corners, which the scanner marks as outside the picture (-2000), become air."""
    volume = read_volume(data_folder / "dicom" / "dcmqi" / "segmentations" / "ct-3slice")
    assert (volume.modality, volume.unit) == (Modality.CT, Unit.HOUNSFIELD)
    stored = pydicom.dcmread(data_folder / "dicom" / "dcmqi" / "segmentations" / "ct-3slice" / "01.dcm")
    k = round(float(volume.grid.kji_of(np.array(stored.ImagePositionPatient, dtype=float))[0]))
    expected = stored.pixel_array.astype(int) + int(stored.RescaleIntercept)
    outside = stored.pixel_array == stored.PixelPaddingValue
    assert outside.any()
    np.testing.assert_array_equal(volume.array[k], np.where(outside, -1024, expected))
    assert volume.steps[-1].step == "fill-padding"
    assert volume.steps[-1].figures["voxels"] > outside.sum()


def test_padding_of_an_mr_is_left_as_it_is(tmp_path):
    def pad(dataset, k):
        dataset.PixelPaddingValue = 0

    write_series(tmp_path / "series", a_pattern(), modality="MR", intercept=0, change=pad)
    volume = read_volume(tmp_path / "series")
    np.testing.assert_array_equal(volume.array, a_pattern())
    assert volume.steps == ()


def test_a_range_of_padding_values_in_the_unsigned_form_is_understood(tmp_path):
    def pad(dataset, k):
        dataset.add_new("PixelPaddingValue", "US", 65536 - 2000)
        dataset.add_new("PixelPaddingRangeLimit", "US", 65536 - 1990)

    array = a_pattern(low=-20, high=2000)
    array[:, 0, 0], array[:, 0, 1], array[:, 0, 2] = -2000, -1995, -1980
    write_series(tmp_path / "series", array, change=pad)
    found = read_volume(tmp_path / "series").array
    assert found[0, 0, :3].tolist() == [-1024, -1024, -1980 - 1024]
    np.testing.assert_array_equal(found[:, 1:], array[:, 1:].astype(int) - 1024)


def test_a_ct_shifted_to_start_at_zero_is_not_in_hounsfield_units(data_folder):
    volume = read_volume(data_folder / "dicom" / "slicer_CTHeadAxialDicom")
    assert (volume.modality, volume.unit) == (Modality.CT, Unit.ARBITRARY)


def test_an_asked_for_modality_wins_over_the_tag(data_folder):
    folder = data_folder / "dicom" / "dcmqi" / "segmentations" / "ct-3slice"
    volume = read_volume(folder, modality=Modality.MR)
    assert (volume.modality, volume.unit) == (Modality.MR, Unit.ARBITRARY)


def test_an_unknown_modality_is_kept_as_unknown(a_series):
    folder, files = a_series
    for path in files:
        edit(path, Modality="US")
    assert read_volume(folder).modality is Modality.UNKNOWN


def test_slices_with_their_own_slope_are_each_rescaled(a_series):
    folder, files = a_series
    before = read_volume(folder).array
    for number, path in enumerate(files):
        edit(path, RescaleSlope=f"{1 + number / 8}", RescaleIntercept="0.5", Modality="PT")
    after = read_volume(folder)
    assert after.modality is Modality.PET
    slopes = 1 + np.arange(len(files)) / 8
    np.testing.assert_allclose(after.array, before * slopes[:, None, None] + 0.5, rtol=1e-6)
