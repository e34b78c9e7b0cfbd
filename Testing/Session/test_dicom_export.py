"""A case that came from a PACS goes back to it: objects of the scan's own study that hold what is shown."""

from __future__ import annotations

import zipfile
from dataclasses import replace

import numpy as np
import pytest

from MedSegAI.Bridge.scan_attributes import SourceSeries
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation
from MedSegAI.Bridge.volume_nodes import world_grid
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.find_series import find_series
from MedSegAI.Logic.files.dicom.read_dicom_segmentation import read_dicom_segmentation
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Session.dicom_export import dicom_name, dicom_obstacle, dicom_writer, source_series, zipped
from MedSegAI.Session.preparation import Preparation
from MedSegAI.Session.run import Outcome
from Testing.Session.conftest import work_through


@pytest.fixture
def a_series(data_folder):
    """A DICOM series of a crop around one hippocampus."""
    pytest.importorskip("highdicom", reason="needs highdicom (pip install highdicom)")
    folder = data_folder / "tcia_brain_dicom" / "Study1" / "13_HCropVolume"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    (found,) = find_series(folder)
    return SourceSeries(folder, found.uid)


@pytest.fixture
def a_case_from_dicom(a_session, a_series):
    a_session.add_scan(read_volume(a_series.folder, series=a_series.uid), source=a_series)
    a_session.start_segment()
    assert work_through(a_session).outcome is Outcome.DONE, a_session.run.error
    return a_session


def header(path):
    import pydicom

    return pydicom.dcmread(path, stop_before_pixels=True)


def test_segmentation_and_report_are_of_the_scans_study_and_hold_what_is_shown(a_case_from_dicom, a_series, tmp_path):
    assert dicom_writer(a_case_from_dicom)(tmp_path / "out") == ()

    written = {header(path).Modality: path for path in (tmp_path / "out").iterdir()}
    assert set(written) == {"SEG", "SR"}
    source = header(next(a_series.folder.iterdir()))
    for path in written.values():
        made = header(path)
        assert made.StudyInstanceUID == source.StudyInstanceUID
        assert made.PatientID == source.PatientID
        assert made.SeriesInstanceUID != source.SeriesInstanceUID
    back = read_dicom_segmentation(written["SEG"])
    shown, table = node_to_segmentation(a_case_from_dicom.segmentation, grid=world_grid(a_case_from_dicom.scan))
    assert {label.name for label in back.table} == {label.name for label in table}
    # A DICOM segmentation leaves out the planes without any voxel.
    first = round(float(shown.grid.kji_of(np.array(back.labels.grid.origin))[0]))
    planes = shown.array[first : first + len(back.labels.array)]
    np.testing.assert_array_equal(back.labels.array > 0, planes > 0)
    assert np.count_nonzero(planes) == np.count_nonzero(shown.array) > 1000


def test_the_heat_map_goes_with_them_in_one_zip(a_case_from_dicom, tmp_path):
    a_case_from_dicom.start_explain()
    assert work_through(a_case_from_dicom).outcome is Outcome.DONE, a_case_from_dicom.run.error
    zipped(dicom_writer(a_case_from_dicom, with_contours=True))(tmp_path / "case.zip")
    with zipfile.ZipFile(tmp_path / "case.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    kinds = sorted(header(path).Modality for path in (tmp_path / "unpacked").rglob("*.dcm"))
    assert kinds == ["OT", "RTSTRUCT", "SEG", "SR"]
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".zip"] == ["case.zip"]


def test_without_identity_the_scan_goes_along_and_everything_still_refers_to_it(a_case_from_dicom, a_series, tmp_path):
    said = dicom_writer(a_case_from_dicom, deidentified=True)(tmp_path / "out")

    source = header(next(a_series.folder.iterdir()))
    made = [header(path) for path in (tmp_path / "out").rglob("*.dcm")]
    assert sorted({one.Modality for one in made}) == ["MR", "SEG", "SR"]
    assert {one.PatientIdentityRemoved for one in made} == {"YES"}
    for one in made:
        assert str(source.PatientName) not in str(one)
        assert source.StudyInstanceUID not in str(one)
    images = {one.SeriesInstanceUID for one in made if one.Modality == "MR"}
    (segmentation,) = (one for one in made if one.Modality == "SEG")
    assert {one.SeriesInstanceUID for one in segmentation.ReferencedSeriesSequence} == images
    assert all(sentence.endswith(".") for sentence in said)


def test_a_prepared_scan_still_knows_its_files(a_session, a_series):
    before = a_session.add_scan(read_volume(a_series.folder, series=a_series.uid), source=a_series)
    preparation = Preparation(a_session)
    preparation.start(preparation.chosen("z-score", {}))
    assert work_through(a_session).outcome is Outcome.DONE, a_session.run.error
    assert a_session.scan is not before
    assert source_series(a_session) == a_series


def test_a_case_whose_files_were_gone_finds_them_again_when_they_are_opened(a_session, a_series, tmp_path):
    volume = read_volume(a_series.folder, series=a_series.uid)
    scan = a_session.add_scan(volume, source=SourceSeries(tmp_path / "gone", a_series.uid))
    a_session.add_scan(volume, source=SourceSeries(tmp_path, "another series"))
    a_session.set_input(0, scan)
    assert source_series(a_session) == SourceSeries(tmp_path / "gone", a_series.uid)
    a_session.add_scan(volume, source=a_series)
    a_session.set_input(0, scan)
    assert source_series(a_session) == a_series


def test_the_name_of_files_without_identity_tells_nothing_of_the_scan(a_session, a_crop):
    a_session.add_scan(replace(a_crop, name="DOE^JANE head"))
    assert dicom_name(a_session, deidentified=False) == "DOE_JANE_head-dicom"
    assert dicom_name(a_session, deidentified=True) == "deidentified-dicom"


def test_what_cannot_be_exported_is_said_in_a_sentence(a_segmented_crop, tmp_path):
    assert "not read from DICOM files" in dicom_obstacle(a_segmented_crop)
    with pytest.raises(InputError, match="not read from DICOM files"):
        dicom_writer(a_segmented_crop)


def test_files_that_are_gone_are_said_to_be_gone(a_segmented_crop, a_crop, tmp_path):
    a_segmented_crop.add_scan(a_crop, source=SourceSeries(tmp_path / "gone", "1.2"))
    assert "no segmentation" in dicom_obstacle(a_segmented_crop)
    a_segmented_crop.start_segment()
    work_through(a_segmented_crop)
    assert "no longer there" in dicom_obstacle(a_segmented_crop)
