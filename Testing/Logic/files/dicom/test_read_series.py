"""One DICOM series becomes one volume; anything that would not be one is refused with the place of the fault."""

from __future__ import annotations

import shutil

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.volume import Modality, Unit

from ..conftest import edit

STUDY = "tcia_brain_dicom/Study1"
OBLIQUE = f"{STUDY}/34909-T1prereg-84610"
FLAIR_UID = "1.3.6.1.4.1.14519.5.2.1.4429.7055.228775196332831153589141676244"


def test_an_oblique_series_lies_where_itk_says(data_folder):
    volume = read_volume(data_folder / OBLIQUE)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(data_folder / OBLIQUE)))
    image = reader.Execute()
    np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(image))
    np.testing.assert_allclose(volume.grid.spacing, image.GetSpacing(), atol=1e-4)
    np.testing.assert_allclose(volume.grid.origin, image.GetOrigin(), atol=1e-3)
    np.testing.assert_allclose(volume.grid.direction, image.GetDirection(), atol=1e-4)
    assert (volume.modality, volume.unit, volume.name) == (Modality.MR, Unit.ARBITRARY, "T1pre_reg")


def test_every_slice_lies_at_its_own_image_position(data_folder):
    volume = read_volume(data_folder / OBLIQUE)
    for path in (data_folder / OBLIQUE).iterdir():
        header = pydicom.dcmread(path)
        place = volume.grid.kji_of(np.array(header.ImagePositionPatient, dtype=float))
        k = round(float(place[0]))
        np.testing.assert_allclose(place, (k, 0, 0), atol=2e-3)
        np.testing.assert_array_equal(volume.array[k], header.pixel_array)


def test_file_names_do_not_decide_the_order(a_series):
    folder, files = a_series
    before = read_volume(folder)
    for number, path in enumerate(files):
        path.rename(folder / f"{(number * 7) % len(files):03d}-renamed")
    after = read_volume(folder)
    np.testing.assert_array_equal(after.array, before.array)
    assert after.grid.same_frame(before.grid)


def test_one_file_stands_for_its_series(a_series):
    folder, files = a_series
    np.testing.assert_array_equal(read_volume(files[5]).array, read_volume(folder).array)


def test_several_series_are_listed_with_their_size_and_uid(refused, data_folder):
    problem = refused(data_folder / STUDY)
    assert "holds 5 DICOM series, where one is needed" in problem
    assert f"'FLAIR_reg', 22 files, UID {FLAIR_UID}" in problem
    assert "'HippoCrop', 32 files" in problem


@pytest.mark.parametrize("choice", [FLAIR_UID, "flair_reg"])
def test_a_series_is_chosen_by_uid_or_description(data_folder, choice):
    volume = read_volume(data_folder / STUDY, series=choice)
    assert (volume.name, volume.grid.shape) == ("FLAIR_reg", (22, 512, 512))


def test_a_series_that_is_not_there_is_refused(refused, data_folder):
    assert "holds no series 'T9'" in refused(data_folder / STUDY, series="T9")


def test_a_missing_slice_is_named_by_its_neighbours(refused, a_series):
    folder, files = a_series
    files[10].unlink()
    problem = refused(folder)
    assert "A slice is missing" in problem
    assert f"between '{files[9].name}' and '{files[11].name}'" in problem
    assert "2.00 mm apart, the others 1.00 mm" in problem


def test_uneven_slices_are_refused(refused, a_series):
    folder, files = a_series
    x, y, z = pydicom.dcmread(files[10]).ImagePositionPatient
    edit(files[10], ImagePositionPatient=[x, y, float(z) - 0.5])
    assert "unevenly spaced" in refused(folder)


def test_two_images_at_one_place_are_refused(refused, a_series):
    folder, files = a_series
    shutil.copy(files[3], folder / "copy.dcm")
    assert "several images at one place" in refused(folder)


def test_a_tilted_gantry_is_refused(refused, a_series):
    folder, files = a_series
    for number, path in enumerate(files):
        x, y, z = pydicom.dcmread(path).ImagePositionPatient
        edit(path, ImagePositionPatient=[x, float(y) + 0.2 * number, z])
    assert "tilted gantry" in refused(folder)


def test_mixed_directions_are_refused(refused, a_series):
    folder, files = a_series
    edit(files[0], ImageOrientationPatient=[0, 1, 0, 0, 0, 1])
    assert "mixes image directions" in refused(folder)


def test_mixed_sizes_are_refused(refused, a_series):
    folder, files = a_series
    edit(files[0], PixelSpacing=[2, 2])
    assert "mixes images of different sizes" in refused(folder)


def test_a_single_image_is_refused(refused, a_series):
    folder, files = a_series
    for path in files[1:]:
        path.unlink()
    assert "a single 2D image" in refused(folder)
    assert "a single 2D image" in refused(files[0])


def test_a_folder_without_images_is_refused(refused, data_folder, tmp_path):
    assert "holds no DICOM images" in refused(tmp_path)
    (tmp_path / "notes.txt").write_text("no DICOM")
    assert "holds no DICOM images" in refused(tmp_path)
    assert "holds no DICOM images" in refused(data_folder / "dicom" / "dcmqi" / "sr-example")


def test_a_dicom_file_that_is_no_image_is_refused(refused, data_folder):
    path = data_folder / "dicom" / "dcmqi" / "segmentations" / "liver.dcm"
    assert "is a DICOM file but not an image" in refused(path)


def test_a_dicom_file_of_a_few_bytes_is_refused(refused, a_series):
    _, files = a_series
    files[0].write_bytes(files[0].read_bytes()[:140])
    refused(files[0])


def test_a_truncated_slice_is_refused(refused, a_series):
    folder, files = a_series
    files[10].write_bytes(files[10].read_bytes()[:-1000])
    assert "cut short or damaged" in refused(folder)


def test_an_image_without_a_place_is_refused(refused, a_series):
    folder, files = a_series
    edit(files[0], ImageOrientationPatient=None)
    assert "does not say where its pixels lie" in refused(folder)


def test_colour_images_are_refused(refused, a_series):
    folder, files = a_series
    edit(files[0], SamplesPerPixel=3)
    assert "is a colour picture" in refused(folder)


def test_images_of_one_value_are_refused(refused, a_series):
    folder, files = a_series
    for path in files:
        edit(path, PixelData=bytes(len(pydicom.dcmread(path).PixelData)))
    assert "every voxel has the value 0" in refused(folder)


def test_a_ct_with_its_intercept_is_in_hounsfield_units(data_folder):
    volume = read_volume(data_folder / "dicom" / "dcmqi" / "segmentations" / "ct-3slice")
    assert (volume.modality, volume.unit) == (Modality.CT, Unit.HOUNSFIELD)
    assert volume.array.min() < -1000
    stored = pydicom.dcmread(data_folder / "dicom" / "dcmqi" / "segmentations" / "ct-3slice" / "01.dcm")
    k = round(float(volume.grid.kji_of(np.array(stored.ImagePositionPatient, dtype=float))[0]))
    np.testing.assert_array_equal(volume.array[k], stored.pixel_array.astype(int) - 1024)


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


def test_a_multi_frame_file_is_the_same_as_its_single_frames(data_folder):
    folder = data_folder / "dicom" / "dcmqi" / "segmentations" / "24x38x3"
    single, multi = read_volume(folder / "image"), read_volume(folder / "multiframe")
    np.testing.assert_array_equal(multi.array, single.array)
    assert multi.grid.same_frame(single.grid)
    assert read_volume(folder / "multiframe" / "mf.dcm").grid.same_frame(single.grid)


def test_a_series_with_a_damaged_header_is_refused(refused, a_series):
    folder, files = a_series
    content = files[4].read_bytes()
    files[4].write_bytes(content[:200] + b"\xff" * 400 + content[600:])
    refused(folder)


def test_pydicom_missing_is_a_sentence(monkeypatch, a_series):
    import sys

    from MedSegAI.Logic.errors import DependencyError

    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(DependencyError, match="needs the package pydicom"):
        read_volume(a_series[0])
