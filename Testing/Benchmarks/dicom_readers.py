"""The readers that ``dicom_reading`` compares, each as a function from a folder to voxels and their places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk

from MedSegAI.Logic.files.dicom.read_series import read_dicom
from MedSegAI.Logic.geometry import LPS_TO_RAS

HARD = "hard"
Reading = tuple[np.ndarray, np.ndarray]
"""Voxels in index order (i, j, k), and the 4 x 4 matrix from index to LPS mm."""


def ours(folder: Path) -> Reading:
    volume = read_dicom(folder)
    return volume.array.transpose(2, 1, 0), volume.grid.index_to_lps


def simple_itk(folder: Path) -> Reading:
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0), matrix


def pydicom_loop(folder: Path) -> Reading:
    """What many programs do by themselves: sort by the place along the normal, rescale, stack."""
    slices = [pydicom.dcmread(path) for path in folder.iterdir()]
    rows, columns = np.array(slices[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    normal = np.cross(rows, columns)
    slices.sort(key=lambda one: float(np.dot(one.ImagePositionPatient, normal)))
    array = np.stack(
        [one.pixel_array * float(one.get("RescaleSlope", 1)) + float(one.get("RescaleIntercept", 0)) for one in slices]
    ).astype(np.float32)
    places = np.array([one.ImagePositionPatient for one in slices], dtype=float)
    matrix = np.eye(4)
    matrix[:3, 0] = rows * float(slices[0].PixelSpacing[1])
    matrix[:3, 1] = columns * float(slices[0].PixelSpacing[0])
    matrix[:3, 2] = (places[-1] - places[0]) / (len(slices) - 1)
    matrix[:3, 3] = places[0]
    return array.transpose(2, 1, 0), matrix


def by_place(folder: Path) -> list[Path]:
    """The files sorted along the normal of the first one, as Slicer's DICOM module hands them to its reader."""
    headers = {path: pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(folder.iterdir())}
    rows, columns = np.array(next(iter(headers.values())).ImageOrientationPatient, dtype=float).reshape(2, 3)
    return sorted(headers, key=lambda path: float(np.dot(headers[path].ImagePositionPatient, np.cross(rows, columns))))


def slicers_reader() -> Callable[[Path], Reading]:
    """Slicer's archetype reader in a scene of its own core; raises ImportError where that is missing.

    Files of the timed series are named in slice order, so that sorting them costs nothing.
    """
    import vtk
    from vtkmodules.util.numpy_support import vtk_to_numpy

    from MedSegAI.Bridge.scene import new_scene

    scene = new_scene().mrml

    def read(folder: Path) -> Reading:
        files = by_place(folder) if folder.parent.name == HARD else sorted(folder.iterdir())
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
        storage = scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
        storage.SetFileName(str(files[0]))
        storage.ResetFileNameList()
        for file in files:
            storage.AddFileName(str(file))
        storage.SetSingleFile(0)
        if not storage.ReadData(node):
            raise RuntimeError("refused")
        matrix = vtk.vtkMatrix4x4()
        node.GetIJKToRASMatrix(matrix)
        image = node.GetImageData()
        voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1]).copy()
        ras = np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
        scene.RemoveNode(node)
        scene.RemoveNode(storage)
        return voxels.transpose(2, 1, 0), LPS_TO_RAS @ ras

    return read


def monais_reader() -> Callable[[Path], Reading]:
    """MONAI's PydicomReader; raises ImportError where MONAI is missing."""
    from monai.data import PydicomReader

    reader = PydicomReader(affine_lps_to_ras=False)

    def read(folder: Path) -> Reading:
        array, meta = reader.get_data(reader.read(str(folder)))
        return np.asarray(array), np.asarray(meta["affine"])

    return read


def readers() -> dict[str, Callable[[Path], Reading]]:
    found: dict[str, Callable[[Path], Reading]] = {
        "ours": ours,
        "SimpleITK": simple_itk,
        "pydicom loop": pydicom_loop,
    }
    for name, make in (("Slicer's reader", slicers_reader), ("MONAI", monais_reader)):
        try:
            found[name] = make()
        except ImportError as error:
            print(f"{name} is left out: {error}")
    return found
