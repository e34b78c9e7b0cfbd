"""A result as DICOM objects of its study: valid for another's validator, and the same when others read them."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import Cancelled, InputError, StorageError
from MedSegAI.Logic.files.dicom.export import DicomObject, export_case
from MedSegAI.Logic.files.dicom.read_dicom_segmentation import read_dicom_segmentation
from MedSegAI.Logic.files.dicom.shared_provenance import provenance_of
from MedSegAI.Logic.files.dicom.write_dicom_segmentation import SegmentationKind
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.reporter import SilentReporter
from Testing.Logic.files.dicom.validator import findings

highdicom = pytest.importorskip("highdicom")

# What dciodvfy may say, and why.
ALLOWED = (
    # A name of one word: the patient's own in these series, and a creator's; a warning in any object they are in.
    "Retired Person Name form",
    # Our private element: the validator knows no private dictionary but its own.
    'MEDSEGAI PROVENANCE 1")> - Unrecognized tag - assuming explicit value representation OK [UT]',
    # The series does not say which part of the body it shows, so the side is indeed not known.
    "</Laterality(0020,0060)> - is only permitted to be empty when actually unknown",
)
# dciodvfy of September 2026 counts label maps not among the segmentations that a report may refer to a segment of.
ALLOWED_OF_LABELMAPS = "Shall not be present for Referenced SOP Class that is not segmentation"


@pytest.fixture(scope="module")
def exported(case_on, tmp_path_factory):
    """The folder with all five objects of a case, and the case; each is written once."""
    done = {}

    def export(name, kind=SegmentationKind.BINARY):
        if (name, kind) not in done:
            case = case_on(name)
            # How the segments are stored matters for two of the objects.
            wanted = DicomObject if kind is SegmentationKind.BINARY else (DicomObject.SEGMENTATION, DicomObject.REPORT)
            folder = tmp_path_factory.mktemp("export") / "dicom"
            objects = export_case(
                folder,
                case.segmentation,
                source=case.series,
                objects=list(wanted),
                kind=kind,
                heat_map=case.heat_map,
                heat_label="left_kidney",
                confidence=case.confidence,
                creator="Änne 花子",
            )
            done[name, kind] = {one.kind: one for one in objects}
        return done[name, kind], case_on(name)

    return export


@pytest.mark.parametrize("name", ["ct", "mr", "crop", "multi-frame"])
@pytest.mark.parametrize("kind", list(SegmentationKind))
def test_every_object_is_valid_for_dciodvfy(exported, name, kind):
    objects, _ = exported(name, kind)
    assert len(objects) == (5 if kind is SegmentationKind.BINARY else 2)
    for what, one in objects.items():
        allowed = ALLOWED
        if what is DicomObject.REPORT and kind is SegmentationKind.LABELMAP:
            allowed = (*ALLOWED, ALLOWED_OF_LABELMAPS)
        found = [line for line in findings(one.path) if not any(text in line for text in allowed)]
        assert found == [], what


@pytest.mark.parametrize("name", ["ct", "mr", "multi-frame"])
def test_all_objects_are_of_the_patient_study_and_frame_of_reference_and_each_is_a_series_of_its_own(exported, name):
    objects, case = exported(name)
    scan = pydicom.dcmread(sorted(case.series.glob("*.dcm"))[0], stop_before_pixels=True)
    written = [pydicom.dcmread(one.path) for one in objects.values()]
    for dataset, one in zip(written, objects.values()):
        assert (dataset.StudyInstanceUID, dataset.PatientID) == (scan.StudyInstanceUID, scan.PatientID)
        assert (dataset.SOPInstanceUID, dataset.SeriesInstanceUID) == (one.instance_uid, one.series_uid)
        assert dataset.get("PatientIdentityRemoved") == scan.get("PatientIdentityRemoved")
        assert one.deidentified is (scan.get("PatientIdentityRemoved") == "YES")
        if "FrameOfReferenceUID" in dataset:
            assert dataset.FrameOfReferenceUID == scan.FrameOfReferenceUID
    assert len({dataset.SeriesInstanceUID for dataset in written}) == len(written)
    assert len({dataset.SeriesNumber for dataset in written}) == len(written)


@pytest.mark.parametrize("name", ["ct", "mr", "crop", "multi-frame"])
@pytest.mark.parametrize("kind", list(SegmentationKind))
def test_our_reader_and_highdicom_find_the_same_masks_in_the_same_places(exported, name, kind):
    objects, case = exported(name, kind)
    path = objects[DicomObject.SEGMENTATION].path
    labels = case.segmentation.labels.array
    ours = read_dicom_segmentation(path).labels
    first = int(np.rint(case.scan.grid.kji_of(ours.grid.lps_of((0, 0, 0)))[0]))
    stored = labels[first : first + ours.grid.shape[0]]
    assert np.count_nonzero(stored) == np.count_nonzero(labels)
    assert np.array_equal(np.array([0, 3, 7], np.uint8)[ours.array], stored)
    theirs = highdicom.seg.segread(path).get_volume(combine_segments=True)
    for corner in ((0, 0, 0), tuple(n - 1 for n in ours.grid.shape)):
        lps = ours.grid.lps_of(corner)
        index = np.rint(theirs.map_reference_to_indices(lps[None])[0]).astype(int)
        np.testing.assert_allclose(theirs.map_indices_to_reference(index[None])[0], lps, atol=1e-3)
    places = np.argwhere(theirs.array)
    lps = theirs.map_indices_to_reference(places)
    k, j, i = np.rint(case.scan.grid.kji_of(lps)).astype(int).T
    assert np.array_equal(np.array([0, 3, 7])[theirs.array[tuple(places.T)]], labels[k, j, i])
    assert len(places) == np.count_nonzero(labels)


def test_frames_put_on_the_series_by_itk_and_pydicom_alone_are_the_mask(exported):
    objects, case = exported("mr")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(case.series)))
    image = reader.Execute()
    dataset = pydicom.dcmread(objects[DicomObject.SEGMENTATION].path)
    seen = np.zeros(sitk.GetArrayViewFromImage(image).shape, np.uint8)
    for plane, frame in zip(dataset.pixel_array, dataset.PerFrameFunctionalGroupsSequence):
        number = frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        place = [float(value) for value in frame.PlanePositionSequence[0].ImagePositionPatient]
        i, j, k = image.TransformPhysicalPointToIndex(place)
        assert (i, j) == (0, 0)
        seen[k][plane > 0] = {1: 3, 2: 7}[number]
    assert np.array_equal(seen, case.segmentation.labels.array)


@pytest.mark.parametrize("name", ["ct", "multi-frame"])
def test_the_confidence_is_the_probability_of_the_winner_to_one_255th(exported, name):
    objects, case = exported(name)
    dataset = highdicom.seg.segread(objects[DicomObject.CONFIDENCE].path)
    assert (dataset.SegmentationFractionalType, dataset.MaximumFractionalValue) == ("PROBABILITY", 255)
    volume = dataset.get_volume(combine_segments=False, rescale_fractional=True)
    for channel, value in enumerate((3, 7)):
        found = volume.array[..., channel]
        places = np.argwhere(found > 0)
        k, j, i = np.rint(case.scan.grid.kji_of(volume.map_indices_to_reference(places))).astype(int).T
        assert np.all(case.segmentation.labels.array[k, j, i] == value)
        wanted = case.confidence.array[k, j, i].astype(np.float32)
        np.testing.assert_allclose(found[tuple(places.T)], wanted, atol=0.51 / 255)


@pytest.mark.parametrize(("name", "region"), [("mr", "Brain"), ("crop", "")])
def test_a_heat_map_of_no_known_label_lies_where_the_series_says(case_on, tmp_path, name, region):
    case = case_on(name)
    (one,) = export_case(
        tmp_path / "out", case.segmentation, source=case.series, objects=[DicomObject.HEAT_MAP], heat_map=case.heat_map
    )
    shared = pydicom.dcmread(one.path).SharedFunctionalGroupsSequence[0]
    if region:
        (anatomy,) = shared.FrameAnatomySequence
        assert (anatomy.AnatomicRegionSequence[0].CodeMeaning, anatomy.FrameLaterality) == (region, "U")
    else:
        assert "FrameAnatomySequence" not in shared
    assert [line for line in findings(one.path) if not any(text in line for text in ALLOWED)] == []


def test_a_heat_map_beyond_0_to_1_is_refused(case_on, tmp_path):
    case = case_on("ct")
    doubled = case.heat_map.with_array(case.heat_map.array * 2)
    with pytest.raises(InputError, match="leaves the range from 0 to 1"):
        export_case(
            tmp_path / "out", case.segmentation, source=case.series, objects=[DicomObject.HEAT_MAP], heat_map=doubled
        )


@pytest.mark.parametrize("name", ["ct", "multi-frame"])
def test_the_heat_map_keeps_every_float_and_says_what_it_means(exported, name):
    objects, case = exported(name)
    dataset = pydicom.dcmread(objects[DicomObject.HEAT_MAP].path)
    stored = np.frombuffer(dataset.FloatPixelData, "<f4").reshape(case.scan.grid.shape)
    for plane, frame in zip(stored, dataset.PerFrameFunctionalGroupsSequence):
        place = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        k = int(np.rint(case.scan.grid.kji_of(place)[0]))
        assert np.array_equal(plane, case.heat_map.array[k])
    shared = dataset.SharedFunctionalGroupsSequence[0]
    frame = dataset.PerFrameFunctionalGroupsSequence[0]
    mapping = (shared.get("RealWorldValueMappingSequence") or frame.RealWorldValueMappingSequence)[0]
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "1"
    meaning = mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeMeaning
    assert meaning == "Gradient-weighted class activation"
    assert "Left kidney" in mapping.LUTExplanation


def test_the_report_gives_volumes_and_mean_attenuation_of_the_segments_it_names(exported):
    objects, case = exported("ct")
    report = highdicom.sr.srread(objects[DicomObject.REPORT].path)
    groups = report.content.get_volumetric_roi_measurement_groups()
    labels = case.segmentation.labels
    for number, (group, value, key) in enumerate(zip(groups, (3, 7), ("left_kidney", "lump")), start=1):
        assert group.tracking_identifier == key
        (segment,) = (
            item.ReferencedSOPSequence[0] for item in group.referenced_segment if "ReferencedSOPSequence" in item
        )
        assert segment.ReferencedSOPInstanceUID == objects[DicomObject.SEGMENTATION].instance_uid
        assert segment.ReferencedSegmentNumber == number
        mask = labels.array == value
        measured = {found.name.meaning: found for found in group.get_measurements()}
        assert measured["Volume"].unit.value == "ml"
        assert measured["Volume"].value == pytest.approx(mask.sum() * labels.grid.voxel_volume_ml, rel=1e-5)
        assert measured["Attenuation Coefficient"].unit.value == "[hnsf'U]"
        assert measured["Attenuation Coefficient"].value == pytest.approx(case.scan.array[mask].mean(), rel=1e-5)


def test_the_report_measures_no_mean_where_the_unit_is_unknown(exported):
    objects, _ = exported("mr")
    report = highdicom.sr.srread(objects[DicomObject.REPORT].path)
    names = {
        found.name.meaning
        for group in report.content.get_volumetric_roi_measurement_groups()
        for found in group.get_measurements()
    }
    assert names == {"Volume"}


def test_dcmtk_reads_the_report_with_the_models_digest(exported):
    if shutil.which("dsrdump") is None:
        pytest.skip("dcmtk is not installed")
    objects, case = exported("mr")
    done = subprocess.run(
        ["dsrdump", "-Ee", "+Pl", str(objects[DicomObject.REPORT].path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for text in ("Enhanced SR", "left_kidney", "hippocampus-mr", "Änne 花子"):
        assert text in done.stdout
    assert case.segmentation.provenance.model_sha256 in done.stdout


@pytest.mark.parametrize("what", list(DicomObject))
def test_the_record_of_the_run_comes_back_without_the_names_of_scans_and_files(exported, what):
    objects, case = exported("ct")
    record = provenance_of(pydicom.dcmread(objects[what].path))
    made = case.segmentation.provenance
    assert (record.model, record.model_sha256, record.settings) == (made.model, made.model_sha256, made.settings)
    assert record.input_name == "scan"


def test_a_segmentation_read_again_knows_the_model_that_made_it(exported):
    objects, case = exported("ct")
    read = read_dicom_segmentation(objects[DicomObject.SEGMENTATION].path).provenance
    assert read.model_sha256 == case.segmentation.provenance.model_sha256


def test_labels_stored_on_a_part_of_the_grid_are_put_on_all_of_it(case_on, tmp_path):
    case = case_on("ct")
    labels = case.segmentation.labels
    part = labels.crop(Box.around(labels.array).grow(2).clip(labels.grid.shape))
    small = Segmentation(part, case.segmentation.table)
    (one,) = export_case(tmp_path / "out", small, source=case.series, objects=[DicomObject.SEGMENTATION])
    assert np.count_nonzero(read_dicom_segmentation(one.path).labels.array) == np.count_nonzero(labels.array)


def test_the_files_of_a_series_serve_as_well_as_its_folder(case_on, tmp_path):
    case = case_on("ct")
    files = list(case.series.glob("*.dcm"))
    (one,) = export_case(tmp_path / "out", case.segmentation, source=files, objects=[DicomObject.SEGMENTATION])
    assert one.path.is_file()


def test_nothing_is_left_behind_when_it_is_cancelled_or_an_object_fails(case_on, tmp_path):
    case = case_on("ct")
    several = [DicomObject.SEGMENTATION, DicomObject.CONFIDENCE, DicomObject.REPORT]
    given = {"source": case.series, "objects": several, "confidence": case.confidence}

    class AtTheSecond(SilentReporter):
        def progress(self, done, total, stage):
            self.at = done

        def cancelled(self):
            return hasattr(self, "at")

    with pytest.raises(Cancelled):
        export_case(tmp_path / "out", case.segmentation, **given, reporter=AtTheSecond())
    too_much = case.confidence.with_array(case.confidence.array * 3)
    with pytest.raises(InputError, match="leaves the range from 0 to 1"):
        export_case(tmp_path / "out", case.segmentation, **{**given, "confidence": too_much})
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_is_refused_with_the_reason(case_on, tmp_path):
    case = case_on("ct")
    for given, sentence in (
        ({"objects": [DicomObject.HEAT_MAP]}, "nothing to write it from"),
        ({"objects": [DicomObject.REPORT]}, "refers to the segmentation, which was not asked for"),
        ({"objects": []}, "No object was asked for"),
        ({"heat_map": case_on("mr").heat_map}, "does not lie on the grid"),
        ({"source": tmp_path / "none"}, "There is no DICOM series"),
        ({"source": []}, "There is no DICOM series"),
        ({"source": case_on("mr").series}, "does not lie on the grid of the series"),
    ):
        with pytest.raises(InputError, match=sentence):
            export_case(tmp_path / "out", case.segmentation, **{"source": case.series, **given})
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "note").touch()
    for folder, sentence in (("used", "holds something already"), ("used/note", "is a file"), ("a/b", "no folder")):
        with pytest.raises(StorageError, match=sentence):
            export_case(tmp_path / folder, case.segmentation, source=case.series)
