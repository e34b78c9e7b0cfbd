"""The series behind a result: its images in the order of the voxels, however it is named."""

from __future__ import annotations

import shutil

import numpy as np
import pydicom
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.source_series import read_source_series
from Testing.synthetic_series import a_pattern, edit, write_series


@pytest.fixture
def study(tmp_path):
    """A folder with a CT of six and an MR of four slices."""
    write_series(tmp_path / "study" / "ct", a_pattern((6, 16, 16)))
    write_series(tmp_path / "study" / "mr", a_pattern((4, 16, 16)), modality="MR", intercept=0, number=2)
    return tmp_path / "study"


def heights(source):
    return [float(image.ImagePositionPatient[2]) for image in source.images]


def test_the_images_are_in_the_order_of_k(study):
    source = read_source_series(study / "ct")
    assert not source.is_multi_frame
    np.testing.assert_allclose(heights(source), source.scan.grid.lps_of([(k, 0, 0) for k in range(6)])[:, 2])
    assert source.planes == tuple(range(6))
    assert "PixelData" not in source.images[0]


@pytest.mark.parametrize("how", ["uid", "description", "one file", "all files", "zip"])
def test_a_series_may_be_named_in_every_way(study, tmp_path, how):
    file = sorted((study / "mr").iterdir())[1]
    uid = str(pydicom.dcmread(file).SeriesInstanceUID)
    named = {
        "uid": (study, uid),
        "description": (study, "Synthetic MR"),
        "one file": (file, None),
        "all files": (sorted((study / "mr").iterdir(), reverse=True), None),
        "zip": (shutil.make_archive(str(tmp_path / "packed"), "zip", study / "mr"), None),
    }
    source, series = named[how]
    found = read_source_series(source, series=series)
    assert len(found.images) == 4
    assert {str(image.SeriesInstanceUID) for image in found.images} == {uid}


def test_a_frame_of_a_multi_frame_image_is_told_by_where_it_lies(case_on):
    case = case_on("multi-frame")
    source = read_source_series(case.series)
    assert source.is_multi_frame
    stored = pydicom.dcmread(next(case.series.glob("*.dcm"))).pixel_array
    assert np.array_equal(source.in_frame_order(source.scan.array), stored)


def test_names_become_unicode_and_what_may_be_empty_is_there(study):
    for path in (study / "ct").iterdir():
        edit(path, PatientBirthDate=None, AccessionNumber=None, SpecificCharacterSet="ISO_IR 100", PatientName="Ä^B")
    (first, *_) = read_source_series(study / "ct").images
    assert (first.PatientBirthDate, first.AccessionNumber) == ("", "")
    assert (first.SpecificCharacterSet, str(first.PatientName)) == ("ISO_IR 192", "Ä^B")


def test_what_is_no_series_is_refused(study, tmp_path):
    for source, sentence in (
        ([], "There is no DICOM series"),
        (tmp_path / "none", "There is no DICOM series"),
        (study, "2 DICOM series, where one is needed"),
        ([*(study / "ct").iterdir(), *(study / "mr").iterdir()], "make 2 series that can be read"),
        (sorted((study / "ct").iterdir())[:1] * 2, "make 0 series that can be read"),
    ):
        with pytest.raises(InputError, match=sentence):
            read_source_series(source)


def test_a_series_of_a_tilted_gantry_is_refused_because_no_image_has_the_results_slices(study):
    for k, path in enumerate(sorted((study / "ct").iterdir())):
        place = pydicom.dcmread(path).ImagePositionPatient
        edit(path, ImagePositionPatient=[place[0], float(place[1]) + 0.6 * k, place[2]])
    with pytest.raises(InputError, match="gantry was tilted"):
        read_source_series(study / "ct")
