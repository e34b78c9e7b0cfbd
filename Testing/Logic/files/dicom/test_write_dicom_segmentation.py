"""Label maps as DICOM segmentations of the series they were drawn on."""

from __future__ import annotations

import sys

import numpy as np
import pydicom
import pytest

from MedSegAI.Logic.errors import DependencyError, InputError
from MedSegAI.Logic.files.dicom.read_dicom_segmentation import read_dicom_segmentation
from MedSegAI.Logic.files.dicom.write_dicom_segmentation import (
    SegmentationKind,
    write_dicom_segmentation,
)
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Volume
from Testing.Logic.corrections.conftest import MADE

from .conftest import KIDNEY, TABLE


@pytest.fixture(scope="module")
def series(data_folder):
    folder = data_folder / "dicom" / "dcmqi" / "segmentations" / "ct-3slice"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder


@pytest.fixture
def drawn(series):
    grid = read_volume(series).grid
    array = np.zeros(grid.shape, np.uint8)
    array[0:2, 100:120, 50:80] = 3
    array[2, 10:20, 10:20] = 7
    return Segmentation(Volume(array, grid), TABLE)


def test_what_was_written_is_read_again_with_keys_names_codes_and_colours(drawn, series, tmp_path):
    pytest.importorskip("highdicom")
    write_dicom_segmentation(tmp_path / "out.dcm", drawn, source=series, creator="Anna")
    found = read_dicom_segmentation(tmp_path / "out.dcm")
    assert found.labels.grid.same_frame(drawn.labels.grid)
    assert np.array_equal(np.array([0, 3, 7], np.uint8)[found.labels.array], drawn.labels.array)
    for label, original in zip(found.table, TABLE):
        assert (label.key, label.name) == (original.key, original.name)
        np.testing.assert_allclose(label.colour, original.colour, atol=0.02)
    assert next(iter(found.table)).terminology == KIDNEY


def test_it_belongs_to_the_patient_and_study_of_its_series_and_says_who_made_it(drawn, series, tmp_path):
    pytest.importorskip("highdicom")
    made = Segmentation(drawn.labels, TABLE, MADE)
    write_dicom_segmentation(tmp_path / "out.dcm", made, source=series, creator="Änne 花子")
    written, scan = pydicom.dcmread(tmp_path / "out.dcm"), pydicom.dcmread(series / "01.dcm")
    assert written.StudyInstanceUID == scan.StudyInstanceUID
    assert written.PatientID == scan.PatientID
    assert written.ContentCreatorName == "Änne 花子"
    segment = written.SegmentSequence[0]
    assert segment.SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert segment.SegmentationAlgorithmIdentificationSequence[0].AlgorithmName == "hippocampus-mr"


def test_what_cannot_be_written_is_refused_and_leaves_nothing(drawn, series, tmp_path):
    pytest.importorskip("highdicom")
    grid = drawn.labels.grid
    beside = Segmentation(Volume(drawn.labels.array, Grid(grid.shape, grid.spacing, (0, 0, 0))), TABLE)
    empty = Segmentation(drawn.labels.with_array(np.zeros(grid.shape, np.uint8)), TABLE)
    for what, source, sentence in (
        (beside, series, "does not lie on the grid of the series"),
        (empty, series, "holds no voxel"),
        (drawn, series / "none", "There is no DICOM series of the scan"),
    ):
        with pytest.raises(InputError, match=sentence):
            write_dicom_segmentation(tmp_path / "out.dcm", what, source=source)
    assert list(tmp_path.iterdir()) == []


def test_a_multi_frame_series_is_referred_to_frame_by_frame(series, tmp_path):
    pytest.importorskip("highdicom")
    source = series.parent / "24x38x3" / "multiframe"
    grid = read_volume(source).grid
    array = np.zeros(grid.shape, np.uint8)
    array[0, 3:9, 4:8] = array[1, 5:7, 5:7] = 7
    write_dicom_segmentation(tmp_path / "out.dcm", Segmentation(Volume(array, grid), TABLE), source=source)
    written, scan = pydicom.dcmread(tmp_path / "out.dcm"), pydicom.dcmread(source / "mf.dcm")
    referred = {}
    for frame in written.PerFrameFunctionalGroupsSequence:
        image = frame.DerivationImageSequence[0].SourceImageSequence[0]
        assert image.ReferencedSOPInstanceUID == scan.SOPInstanceUID
        place = scan.PerFrameFunctionalGroupsSequence[image.ReferencedFrameNumber - 1].PlanePositionSequence[0]
        assert place.ImagePositionPatient == frame.PlanePositionSequence[0].ImagePositionPatient
        referred[image.ReferencedFrameNumber] = float(place.ImagePositionPatient[2])
    # The file's first frame lies lowest.
    assert sorted(referred.values()) == [pytest.approx(grid.lps_of((k, 0, 0))[2]) for k in (0, 1)]
    found = read_dicom_segmentation(tmp_path / "out.dcm")
    assert np.array_equal(found.labels.array, array[:2] == 7)


def test_each_frame_names_the_image_it_was_drawn_on(drawn, series, tmp_path):
    pytest.importorskip("highdicom")
    write_dicom_segmentation(tmp_path / "out.dcm", drawn, source=series)
    images = {image.SOPInstanceUID: image for image in map(pydicom.dcmread, series.glob("*.dcm"))}
    written = pydicom.dcmread(tmp_path / "out.dcm")
    for frame in written.PerFrameFunctionalGroupsSequence:
        named = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        assert images[named].ImagePositionPatient == frame.PlanePositionSequence[0].ImagePositionPatient
    (referenced,) = written.ReferencedSeriesSequence
    assert referenced.SeriesInstanceUID == next(iter(images.values())).SeriesInstanceUID
    assert {item.ReferencedSOPInstanceUID for item in referenced.ReferencedInstanceSequence} == set(images)


def test_a_label_map_holds_the_same_voxels(drawn, series, tmp_path):
    pytest.importorskip("highdicom")
    write_dicom_segmentation(tmp_path / "out.dcm", drawn, source=series, kind=SegmentationKind.LABELMAP)
    assert pydicom.dcmread(tmp_path / "out.dcm").SegmentationType == "LABELMAP"
    found = read_dicom_segmentation(tmp_path / "out.dcm")
    assert np.array_equal(np.array([0, 3, 7], np.uint8)[found.labels.array], drawn.labels.array)
    assert [label.key for label in found.table] == ["left_kidney", "lump"]


def test_without_highdicom_a_sentence_names_the_command_that_installs_it(drawn, series, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(DependencyError, match="pip install highdicom"):
        write_dicom_segmentation(tmp_path / "out.dcm", drawn, source=series)


def test_a_series_without_a_frame_of_reference_is_refused_with_what_it_lacks(data_folder, tmp_path):
    pytest.importorskip("highdicom")
    source = data_folder / "dicom" / "slicer_CTHeadAxialDicom"
    if not source.is_dir():
        pytest.skip(f"no real data at {source}")
    grid = read_volume(source).grid
    head = np.zeros(grid.shape, np.uint8)
    head[10, 10:20, 10:20] = 3
    with pytest.raises(InputError, match=r"lacks what a DICOM segmentation takes from it: .*Frame Of Reference"):
        write_dicom_segmentation(tmp_path / "out.dcm", Segmentation(Volume(head, grid), TABLE), source=source)
    assert list(tmp_path.iterdir()) == []
