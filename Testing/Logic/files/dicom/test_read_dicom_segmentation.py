"""DICOM segmentations of other programs, read like any label map; the reference maps were made by those programs."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.read_dicom_segmentation import is_dicom_segmentation, read_dicom_segmentation


@pytest.fixture(scope="module")
def samples(data_folder):
    folder = data_folder / "dicom" / "dcmqi"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder / "segmentations"


@pytest.fixture
def changed(samples, tmp_path):
    """The liver sample, changed by ``change`` and saved again."""

    def save(change, name="liver.dcm"):
        dataset = pydicom.dcmread(samples / name)
        change(dataset)
        dataset.save_as(tmp_path / "changed.dcm")
        return tmp_path / "changed.dcm"

    return save


def test_a_binary_segmentation_has_the_voxels_of_the_program_that_made_it(samples):
    found = read_dicom_segmentation(samples / "liver.dcm")
    expected = sitk.ReadImage(str(samples / "liver_seg.nrrd"))
    assert np.array_equal(found.labels.array, sitk.GetArrayFromImage(expected))
    np.testing.assert_allclose(found.labels.grid.spacing, expected.GetSpacing(), atol=1e-6)
    np.testing.assert_allclose(found.labels.grid.origin, expected.GetOrigin(), atol=1e-4)
    (liver,) = found.table
    assert (liver.value, liver.key, liver.name, liver.terminology.type.meaning) == (1, "liver", "Liver", "Liver")
    # dcmqi wrote the colour 221, 130, 101.
    np.testing.assert_allclose(np.multiply(liver.colour, 255), (221, 130, 101), atol=1)


def test_a_sparse_label_map_with_a_padding_value_is_read(samples):
    for name in ("ppv5", "noppv"):
        found = read_dicom_segmentation(samples / f"sparse-labelmap-{name}.dcm")
        expected = sitk.GetArrayFromImage(sitk.ReadImage(str(samples / f"sparse_labelmap_{name}_seg.nrrd")))
        assert np.array_equal(found.labels.array, expected == 1), name
        assert [label.key for label in found.table] == ["Liver"]


def test_another_orientation_of_a_real_segmentation_lies_where_its_header_says(samples):
    found = read_dicom_segmentation(samples.parent / "sr-example" / "seg.dcm")
    assert found.labels.grid.shape == (13, 128, 128)
    assert found.labels.grid.spacing == pytest.approx((3.537818, 3.537818, 3.375))
    assert found.labels.array.any()


def test_segments_that_overlap_are_refused(samples):
    with pytest.raises(InputError, match="overlap"):
        read_dicom_segmentation(samples / "partial_overlaps.dcm")


def test_only_segmentations_are_taken_for_one(samples, tmp_path):
    (tmp_path / "note.dcm").write_text("hello")
    (tmp_path / "cut.dcm").write_bytes((samples / "liver.dcm").read_bytes()[:140])
    assert is_dicom_segmentation(samples / "liver.dcm")
    for other in (samples / "ct-3slice" / "01.dcm", tmp_path / "note.dcm", tmp_path / "none.dcm", tmp_path):
        assert not is_dicom_segmentation(other)
    with pytest.raises(InputError, match="is no DICOM segmentation"):
        read_dicom_segmentation(samples / "ct-3slice" / "01.dcm")


def test_a_file_that_is_cut_short_is_refused(samples, tmp_path):
    (tmp_path / "cut.dcm").write_bytes((samples / "liver.dcm").read_bytes()[:-9000])
    with pytest.raises(InputError, match="it is damaged"):
        read_dicom_segmentation(tmp_path / "cut.dcm")


def move_a_frame(dataset, by):
    place = dataset.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0]
    place.ImagePositionPatient = [float(a) + b for a, b in zip(place.ImagePositionPatient, by)]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: move_a_frame(d, (0, 0, 0.4)), "do not make one regular volume"),
        (lambda d: move_a_frame(d, (3, 0, 0)), "do not make one regular volume"),
        (lambda d: move_a_frame(d, (0, 0, 20_000)), "planes apart"),
        (lambda d: d.SharedFunctionalGroupsSequence[0].pop("PixelMeasuresSequence"), "where its voxels lie"),
        (lambda d: d.PerFrameFunctionalGroupsSequence.pop(), "where each of its frames lies"),
        (lambda d: setattr(d, "SegmentSequence", []), "has 0 segments"),
    ],
)
def test_a_segmentation_that_makes_no_label_map_is_refused_with_the_reason(changed, change, sentence):
    with pytest.raises(InputError, match=sentence):
        read_dicom_segmentation(changed(change))


def test_fractions_are_refused_and_whole_ones_are_read(changed):
    def fractional(values):
        def change(dataset):
            frames = dataset.pixel_array
            dataset.SegmentationType, dataset.MaximumFractionalValue = "FRACTIONAL", 255
            dataset.BitsAllocated = dataset.BitsStored = 8
            dataset.HighBit = 7
            dataset.PixelData = (frames * np.uint8(values)).tobytes()

        return change

    assert read_dicom_segmentation(changed(fractional(255))).labels.array.sum() == 107098
    with pytest.raises(InputError, match="holds fractions"):
        read_dicom_segmentation(changed(fractional(100)))


def test_a_segment_without_name_code_or_colour_still_has_a_key(changed):
    def bare(dataset):
        segment = dataset.SegmentSequence[0]
        for name in ("SegmentLabel", "RecommendedDisplayCIELabValue", "SegmentedPropertyTypeCodeSequence"):
            del segment[name]

    (label,) = read_dicom_segmentation(changed(bare)).table
    assert (label.key, label.name, label.terminology) == ("segment_1", "Segment 1", None)


def test_a_segment_number_beyond_255_gets_a_label_value_of_its_own(changed):
    def renumber(dataset):
        dataset.SegmentSequence[0].SegmentNumber = 900
        for frame in dataset.PerFrameFunctionalGroupsSequence:
            frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 900

    found = read_dicom_segmentation(changed(renumber))
    assert [label.value for label in found.table] == [1]
    assert found.labels.array.sum() == 107098
