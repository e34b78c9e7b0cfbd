"""Between Logic's grids (LPS mm, arrays k, j, i) and what VTK and MRML use (RAS mm, indices i, j, k)."""

from __future__ import annotations

import numpy as np
import slicer
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box, Grid

_STORED_AS = {np.dtype(np.bool_): np.uint8, np.dtype(np.float16): np.float32}


def vtk_matrix(matrix: np.ndarray) -> vtkMatrix4x4:
    """A 4 x 4 array as vtkMatrix4x4."""
    result = vtkMatrix4x4()
    result.DeepCopy(np.asarray(matrix, dtype=float).ravel())
    return result


def matrix_array(matrix: vtkMatrix4x4) -> np.ndarray:
    """A vtkMatrix4x4 as a 4 x 4 float64 array (copied)."""
    return np.array(matrix.GetData(), dtype=float).reshape(4, 4)


def scalars_of(array: np.ndarray) -> object:
    """A (k, j, i) array as a VTK array that shares its memory where it can.

    It is copied only where VTK has no such layout or type (not contiguous, foreign byte order, bool becomes uint8,
    float16 becomes float32) and where the memory is read-only, such as a mapped file: a filter writing into that would
    end the process.
    """
    wanted = np.dtype(_STORED_AS.get(array.dtype, array.dtype)).newbyteorder("=")
    flat = np.ascontiguousarray(array, dtype=wanted).reshape(-1)
    if not flat.flags.writeable:
        flat = flat.copy()
    scalars = numpy_to_vtk(flat, deep=False)
    scalars.SetName("ImageScalars")
    return scalars


def voxels_of(image: vtkImageData, *, name: str) -> np.ndarray:
    """The voxels of a scalar image as a (k, j, i) view of VTK's own memory: writing into it changes the image.

    Raises:
        InputError: if the image is empty or has several components a voxel (colour, vectors).
    """
    scalars = image.GetPointData().GetScalars() if image is not None else None
    if scalars is None or scalars.GetNumberOfTuples() == 0:
        raise InputError(f"'{name}' holds no voxels.", advice="Load the volume again or choose another node.")
    if scalars.GetNumberOfComponents() != 1:
        raise InputError(
            f"'{name}' has {scalars.GetNumberOfComponents()} values a voxel (a colour image or vectors).",
            advice="Choose a scan with one value a voxel.",
        )
    return vtk_to_numpy(scalars).reshape(image.GetDimensions()[::-1])


def oriented_image(array: np.ndarray, grid: Grid, *, box: Box | None = None) -> slicer.vtkOrientedImageData:
    """A label map as a segmentation holds it: the voxels of ``box``, at their index in the whole grid.

    Args:
        array: Voxels (k, j, i) of ``box``; copied, so that edits in Slicer leave the array as it is.
        grid: The whole grid; the image's index (i, j, k) is the grid's.
        box: Where ``array`` lies in the grid; None for the whole grid.
    """
    box = box or Box.whole(grid.shape)
    image = slicer.vtkOrientedImageData()
    image.SetExtent(extent_of(box))
    image.GetPointData().SetScalars(scalars_of(array.copy()))
    image.SetImageToWorldMatrix(vtk_matrix(grid.index_to_ras))
    return image


def extent_of(box: Box) -> tuple[int, ...]:
    """VTK's inclusive extent (i0, i1, j0, j1, k0, k1) of a box."""
    pairs = zip(reversed(box.start), reversed(box.stop))
    return tuple(value for start, stop in pairs for value in (start, stop - 1))


def box_of(image: vtkImageData) -> Box:
    """The box of an image's extent."""
    extent = image.GetExtent()
    return Box(extent[4::-2], tuple(stop + 1 for stop in extent[5::-2]))


def grid_of_oriented_image(image: slicer.vtkOrientedImageData) -> Grid:
    """The grid of the voxels an oriented image holds (its extent need not begin at 0).

    Raises:
        InputError: for an empty image or sheared axes.
    """
    matrix = vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    box = box_of(image)
    affine = matrix_array(matrix)
    affine[:3, 3] = (affine @ [*box.start[::-1], 1.0])[:3]
    return Grid.from_index_to_ras(box.shape, affine)
