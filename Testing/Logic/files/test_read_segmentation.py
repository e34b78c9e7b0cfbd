"""Label maps and segmentations of others, and those that are none."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.files.slicer_segments import PROVENANCE_FIELD, table_from_fields


def write(path, array, *, is_vector=False, **fields):
    image = sitk.GetImageFromArray(array, isVector=is_vector)
    for key, value in fields.items():
        image.SetMetaData(key, value)
    sitk.WriteImage(image, path)
    return path


def segment(number, *, layer=0, value=1, **more):
    fields = {"ID": f"s{number}", "Name": f"Segment {number}", "Layer": str(layer), "LabelValue": str(value), **more}
    return {f"Segment{number}_{key}": text for key, text in fields.items()}


@pytest.fixture
def two_layers():
    array = np.zeros((5, 6, 7, 2), np.uint8)
    array[1:3, 2:4, 2:4, 0] = 1
    array[3:5, 2:4, 2:4, 1] = 1
    return array


def test_experts_labels_are_read_as_a_plain_table(hippocampus_crops):
    found = read_segmentation(hippocampus_crops[0].labels)
    assert found.table.find("label_2").value == 2
    assert len(found.table) == 2
    assert found.provenance is None


def test_layers_that_do_not_overlap_are_joined(tmp_path, two_layers):
    path = write(tmp_path / "a.seg.nrrd", two_layers, is_vector=True, **segment(0), **segment(1, layer=1))
    found = read_segmentation(path)
    assert [label.value for label in found.table] == [1, 2]
    np.testing.assert_array_equal(found.labels.array, two_layers[..., 0] + 2 * two_layers[..., 1])


def test_overlapping_segments_are_refused(tmp_path, two_layers):
    two_layers[2, 3, 3, 1] = 1
    path = write(tmp_path / "a.seg.nrrd", two_layers, is_vector=True, **segment(0), **segment(1, layer=1))
    with pytest.raises(InputError, match="overlap") as caught:
        read_segmentation(path)
    assert "Segment Editor" in caught.value.advice


def test_a_layer_that_is_not_there_is_refused(tmp_path, two_layers):
    path = write(tmp_path / "a.seg.nrrd", two_layers[..., 0], **segment(0, layer=4))
    with pytest.raises(InputError, match="names a layer"):
        read_segmentation(path)


def test_layers_without_names_are_refused(tmp_path, two_layers):
    with pytest.raises(InputError, match="2 values in each voxel"):
        read_segmentation(write(tmp_path / "a.nrrd", two_layers, is_vector=True))


@pytest.mark.parametrize("array", [np.linspace(0, 1, 210, dtype=np.float32), np.arange(210) - 5, np.arange(210) * 3])
def test_a_scan_is_no_label_map(tmp_path, array):
    with pytest.raises(InputError, match="is no label map: its values run from"):
        read_segmentation(write(tmp_path / "a.nrrd", array.reshape(5, 6, 7)))


def test_whole_numbers_stored_as_float_are_a_label_map(tmp_path):
    array = (np.indices((5, 6, 7)).sum(0) % 3).astype(np.float32)
    found = read_segmentation(write(tmp_path / "a.nii.gz", array))
    np.testing.assert_array_equal(found.labels.array, array)


def test_a_record_that_cannot_be_read_is_refused(tmp_path, two_layers):
    path = write(tmp_path / "a.nrrd", two_layers[..., 0], **{PROVENANCE_FIELD: '{"model": 1}'})
    with pytest.raises(InputError, match="record of its making"):
        read_segmentation(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="There is no file"):
        read_segmentation(tmp_path / "nowhere.seg.nrrd")


def test_odd_fields_are_mended_or_refused():
    table, places = table_from_fields(segment(0, Color="no colour", Tags="Owner:me|") | segment(1, value=300))
    assert [label.value for label in table] == [1, 2]
    assert places == {1: (0, 1), 2: (0, 300)}
    assert table.find(1).terminology is None
    with pytest.raises(InputError, match="no number"):
        table_from_fields(segment(0, value="one"))
    many = {}
    for number in range(256):
        many |= segment(number)
    with pytest.raises(InputError, match="256 segments"):
        table_from_fields(many)
