"""Scans under a transform that shears or bends them, resampled to a regular grid of the world."""

from __future__ import annotations

import itertools

import numpy as np
import slicer
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonTransforms import vtkGeneralTransform
from vtkmodules.vtkImagingCore import vtkImageReslice

from MedSegAI.Bridge.geometry import matrix_array, vtk_matrix
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid

_MOST_VOXELS = 2**29
_SAMPLES_AN_EDGE = 9


def resampled_to_world(node: slicer.vtkMRMLVolumeNode) -> tuple[np.ndarray, Grid]:
    """Voxels and grid of a node as its parent transforms place it, whatever they are.

    Scans are interpolated linearly, label maps take the nearest voxel. Outside the scan lies its smallest value.

    Returns:
        The array (k, j, i) in the node's dtype (integers rounded by VTK) and its grid: axes along R, A, S, spacing
        the finest of the node's.

    Raises:
        InputError: if the transform spreads the scan over an absurdly large region.
    """
    grid = _grid_around(node)
    reslice = vtkImageReslice()
    reslice.SetInputData(_bare(node.GetImageData()))
    reslice.SetResliceTransform(_output_index_to_input_index(node, grid))
    reslice.SetOutputExtent(0, grid.size[0] - 1, 0, grid.size[1] - 1, 0, grid.size[2] - 1)
    reslice.SetOutputSpacing(1, 1, 1)
    reslice.SetOutputOrigin(0, 0, 0)
    reslice.SetBackgroundLevel(node.GetImageData().GetScalarRange()[0])
    if node.IsA("vtkMRMLLabelMapVolumeNode"):
        reslice.SetInterpolationModeToNearestNeighbor()
    else:
        reslice.SetInterpolationModeToLinear()
    reslice.Update()
    return vtk_to_numpy(reslice.GetOutput().GetPointData().GetScalars()).reshape(grid.shape), grid


def _bare(image: vtkImageData) -> vtkImageData:
    # The reslicer works in index space, where voxel (i, j, k) lies at (i, j, k).
    bare = vtkImageData()
    bare.ShallowCopy(image)
    bare.SetSpacing(1, 1, 1)
    bare.SetOrigin(0, 0, 0)
    return bare


def _output_index_to_input_index(node: slicer.vtkMRMLVolumeNode, grid: Grid) -> vtkGeneralTransform:
    ras_to_ijk, world_to_node = vtk_matrix(np.eye(4)), vtkGeneralTransform()
    node.GetRASToIJKMatrix(ras_to_ijk)
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(None, node.GetParentTransformNode(), world_to_node)
    chain = vtkGeneralTransform()
    chain.PostMultiply()
    chain.Concatenate(vtk_matrix(grid.index_to_ras))
    chain.Concatenate(world_to_node)
    chain.Concatenate(ras_to_ijk)
    return chain


def _grid_around(node: slicer.vtkMRMLVolumeNode) -> Grid:
    to_world = vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(node.GetParentTransformNode(), None, to_world)
    ijk_to_ras = vtk_matrix(np.eye(4))
    node.GetIJKToRASMatrix(ijk_to_ras)
    affine = matrix_array(ijk_to_ras)
    # A bent box may bulge between its corners, so its whole surface and inside are sampled.
    ends = [np.linspace(0, n - 1, _SAMPLES_AN_EDGE) for n in node.GetImageData().GetDimensions()]
    points = [to_world.TransformPoint((affine @ [*ijk, 1.0])[:3]) for ijk in itertools.product(*ends)]
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    spacing = float(min(node.GetSpacing()))
    size = np.floor((high - low) / spacing + 0.5).astype(int) + 1
    if not np.all(np.isfinite(high - low)) or np.prod(size.astype(float)) > _MOST_VOXELS:
        raise InputError(
            f"The transform of '{node.GetName()}' spreads it over {np.round(high - low)} mm.",
            advice="Check the transform, or harden it on a copy of the volume at a coarser spacing.",
        )
    ras = np.diag([spacing, spacing, spacing, 1.0])
    ras[:3, 3] = low
    return Grid.from_index_to_ras(tuple(int(n) for n in size[::-1]), ras)
