"""A series read a few planes at a time gives the voxels that reading it as a whole gives."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.open_planes import open_dicom_planes
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.volume import Modality, Unit
from Testing.synthetic_series import a_pattern, write_series


@pytest.mark.parametrize("start", [0, 2, 5])
def test_planes_are_those_of_the_whole_scan(tmp_path, start):
    write_series(tmp_path / "ct", a_pattern())
    source, whole = open_dicom_planes(tmp_path / "ct"), read_volume(tmp_path / "ct")
    planes = source.planes(start, start + 1)
    np.testing.assert_array_equal(planes, whole.array[start : start + 1])
    assert planes.dtype == source.dtype
    assert source.grid.same_frame(whole.grid)
    assert (source.modality, source.unit, source.name) == (Modality.CT, Unit.HOUNSFIELD, "Synthetic CT")
    assert source.frame_of_reference == whole.frame_of_reference != ""
    source.close()


def test_real_planes_with_padding_are_those_of_the_whole_scan(data_folder):
    folder = data_folder / "dicom" / "dcmqi" / "segmentations" / "ct-3slice"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    source, whole = open_dicom_planes(folder), read_volume(folder)
    np.testing.assert_array_equal(source.planes(1, 3), whole.array[1:3])
    assert source.unit is whole.unit


def test_only_the_pixels_that_are_asked_for_are_read(tmp_path):
    paths = write_series(tmp_path / "mr", a_pattern(), modality="MR", intercept=0)
    source = open_dicom_planes(tmp_path / "mr", modality=Modality.UNKNOWN)
    assert source.modality is Modality.UNKNOWN
    paths[4].write_bytes(paths[4].read_bytes()[:-10])
    np.testing.assert_array_equal(source.planes(0, 4), a_pattern()[:4])
    with pytest.raises(InputError, match=r"'004\.dcm'"):
        source.planes(4, 5)


def test_a_slope_of_its_own_for_each_plane_gives_the_same_type_everywhere(tmp_path):
    def change(dataset, k):
        dataset.RescaleSlope = 1 if k == 0 else 1.5

    write_series(tmp_path / "mr", a_pattern(), modality="MR", intercept=0, slope=2, change=change)
    source = open_dicom_planes(tmp_path / "mr")
    assert source.dtype == source.planes(0, 1).dtype == np.float32
    np.testing.assert_array_equal(source.planes(0, 1), a_pattern()[:1])
