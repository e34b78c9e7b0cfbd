"""One DICOM series becomes one volume; what holds several, or anything that is no scan, is refused by name."""

from __future__ import annotations

import shutil

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.files.dicom.find_series import find_series
from MedSegAI.Logic.files.dicom.read_series import read_found_series
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.volume import Modality, Unit
from Testing.synthetic_series import AXIAL, SAGITTAL, a_pattern, edit, write_series

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


def test_a_localiser_in_three_directions_is_refused(refused, tmp_path):
    axes = (AXIAL, SAGITTAL, ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)))
    for number, way in enumerate(axes):
        write_series(tmp_path / str(number), a_pattern((3, 16, 16)), axes=way, change=_another_uid(number))
    problem = refused(tmp_path)
    assert "mixes image directions (3 + 3 + 3 images" in problem
    assert "as a localiser does" in problem


def _another_uid(number):
    def change(dataset, k):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number + 1}{k + 1}"

    return change


@pytest.mark.parametrize(
    ("keyword", "title", "values"),
    [
        ("TemporalPositionIdentifier", "time point", (1, 2)),
        ("EchoTime", "echo time", (30.0, 90.0)),
        ("DiffusionBValue", "b value", (0.0, 800.0)),
        ("AcquisitionNumber", "acquisition", (3, 4)),
        ("ImageType", "image type", (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"])),
    ],
)
def test_several_volumes_of_one_series_are_offered_one_by_one(refused, tmp_path, keyword, title, values):
    for number, value in enumerate(values):

        def change(dataset, k, number=number, value=value):
            _another_uid(number)(dataset, k)
            setattr(dataset, keyword, value)

        write_series(tmp_path / str(number), a_pattern() + number, modality="MR", intercept=0, change=change)
    assert "holds 2 volumes in DICOM series, where one is needed" in refused(tmp_path)
    first, second = find_series(tmp_path)
    assert (first.usable, second.usable) == (True, True)
    assert second.uid == first.uid.replace("#1", "#2")
    assert f"({title} " in first.description
    for found, number in ((first, 0), (second, 1)):
        np.testing.assert_array_equal(read_volume(tmp_path, series=found.uid).array, a_pattern() + number)
        np.testing.assert_array_equal(read_found_series(found).array, a_pattern() + number)
        assert read_volume(tmp_path, series=found.description).name == found.description


def test_time_points_of_which_one_lacks_a_slice_are_refused(refused, tmp_path):
    for number in range(2):
        write_series(tmp_path / str(number), a_pattern() + number, change=_another_uid(number))
    (tmp_path / "0" / "000.dcm").unlink()
    assert "several images at one place" in refused(tmp_path)


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
    assert "'liver.dcm' is a segmentation, not a scan" in refused(path)


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


def test_a_place_that_is_no_number_is_named(refused, a_series):
    folder, files = a_series
    edit(files[3], ImagePositionPatient=["1e400", "0", "0"])
    message = refused(folder)
    assert f"'{files[3].name}' does not say where it lies" in message


@pytest.mark.parametrize("colour", ["RGB", "YBR_FULL_422", "PALETTE COLOR"])
def test_colour_pictures_are_refused(refused, tmp_path, colour):
    def paint(dataset, k):
        dataset.PhotometricInterpretation = colour
        dataset.SamplesPerPixel = 1 if colour == "PALETTE COLOR" else 3

    write_series(tmp_path / "series", a_pattern(), change=paint)
    assert f"is a colour picture ({colour})" in refused(tmp_path / "series")


@pytest.mark.parametrize("name", ["examples_palette.dcm", "examples_rgb_color.dcm", "examples_ybr_color.dcm"])
def test_real_colour_pictures_are_refused(refused, tmp_path, name):
    found = pydicom.data.get_testdata_file(name, download=False)
    if found is None:
        pytest.skip(f"pydicom does not carry {name}")
    shutil.copy(found, tmp_path / name)
    assert "is a colour picture" in refused(tmp_path)


def test_images_of_two_patients_in_one_series_are_refused_without_naming_them(refused, a_series):
    folder, files = a_series
    edit(files[3], PatientID="Somebody-Else")
    problem = refused(folder)
    assert "name 2 different patients" in problem
    assert "Somebody" not in problem


def test_a_mosaic_is_refused(refused, tmp_path):
    def change(dataset, k):
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]

    write_series(tmp_path / "series", a_pattern(), modality="MR", change=change)
    assert "is a mosaic: a whole volume as tiles" in refused(tmp_path / "series")


def test_a_few_colour_pictures_among_the_slices_are_left_out(a_series):
    folder, files = a_series
    edit(files[0], SamplesPerPixel=3, PhotometricInterpretation="RGB")
    assert f"'{files[0].name}' was left out: no slices" in read_volume(folder).steps[0].sentence


def test_images_of_one_value_are_refused(refused, a_series):
    folder, files = a_series
    for path in files:
        edit(path, PixelData=bytes(len(pydicom.dcmread(path).PixelData)))
    assert "every voxel has the value 0" in refused(folder)


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
