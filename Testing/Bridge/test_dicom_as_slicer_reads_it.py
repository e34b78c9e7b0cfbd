"""A DICOM series read here has the voxels and the matrix that Slicer's own reader (ITK's, with GDCM) gives it."""

from __future__ import annotations

import numpy as np
import pytest
import vtk
from vtkmodules.util.numpy_support import vtk_to_numpy

from MedSegAI.Logic.files.dicom.find_series import find_series
from MedSegAI.Logic.files.dicom.read_series import read_found_series
from MedSegAI.Logic.files.read import read_volume
from Testing.synthetic_series import SAGITTAL, a_pattern, write_series

SAME_PLACE_MM = 1e-4


@pytest.fixture
def read_by_slicer(a_scene):
    """Voxels (k, j, i) and IJK-to-RAS matrix of a list of files."""

    def read(files):
        node = a_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
        storage = a_scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
        storage.SetFileName(str(files[0]))
        storage.ResetFileNameList()
        for file in files:
            storage.AddFileName(str(file))
        storage.SetSingleFile(0)
        assert storage.ReadData(node) == 1
        matrix = vtk.vtkMatrix4x4()
        node.GetIJKToRASMatrix(matrix)
        image = node.GetImageData()
        voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
        return voxels, np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])

    return read


def assert_same(volume, voxels, matrix):
    np.testing.assert_allclose(volume.grid.index_to_ras, matrix, atol=SAME_PLACE_MM)
    np.testing.assert_allclose(volume.array, voxels, rtol=1e-6)


def test_real_mr_series_are_the_same(data_folder, read_by_slicer):
    found = [one for one in find_series(data_folder / "tcia_brain_dicom") if one.usable]
    assert len(found) == 5
    for one in (found[1], found[4]):
        assert_same(read_found_series(one), *read_by_slicer(one.files))


def test_real_ct_series_single_and_multi_frame_are_the_same(data_folder, read_by_slicer):
    found = [one for one in find_series(data_folder / "dicom" / "dcmqi" / "segmentations") if one.usable]
    padded = [one for one in found if one.frame_of_reference and one.size[0] == 512]
    assert len(found) >= 5 and len(padded) == 1
    for one in found:
        volume, (voxels, matrix) = read_found_series(one), read_by_slicer(one.files)
        if one in padded:
            # What the scanner marks as outside the picture is air here; Slicer shows the mark.
            voxels = np.where(voxels == -3024, -1024, voxels)
        assert_same(volume, voxels, matrix)


def test_a_head_of_93_slices_is_the_same(data_folder, read_by_slicer):
    (found,) = find_series(data_folder / "dicom" / "slicer_CTHeadAxialDicom")
    assert_same(read_found_series(found), *read_by_slicer(found.files))


def its_own_slope(dataset, k):
    dataset.RescaleSlope = 1 + k / 8


@pytest.mark.parametrize(
    "settings",
    [
        {"axes": SAGITTAL},
        {"axes": ((0.8, 0.6, 0.0), (-0.36, 0.48, 0.8))},
        {"modality": "MR", "slope": 2, "intercept": 5},
        {"modality": "MR", "slope": 2.37, "intercept": 5},
        {"modality": "PT", "slope": 2.5, "intercept": 0},
        {"modality": "PT", "intercept": 0, "change": its_own_slope},
        {"array": a_pattern((5, 8, 9), high=200).astype(np.uint8), "modality": "MR", "intercept": 0},
    ],
)
def test_a_series_of_60_slices_is_the_same(tmp_path, read_by_slicer, settings):
    files = write_series(tmp_path / "series", **{"array": a_pattern((60, 32, 24)), **settings})
    assert_same(read_volume(tmp_path / "series"), *read_by_slicer(files))
