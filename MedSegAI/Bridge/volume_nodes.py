"""Scans: Logic's :class:`Volume` to and from scalar volume nodes, to the voxel and the micrometre."""

from __future__ import annotations

import logging

import numpy as np
import slicer
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from MedSegAI.Bridge.alignment_nodes import alignment_of
from MedSegAI.Bridge.geometry import matrix_array, scalars_of, voxels_of, vtk_matrix
from MedSegAI.Bridge.scan_attributes import (
    acquisition_of,
    frame_of_reference_of,
    modality_of,
    steps_of,
    unit_of,
    write_attributes,
)
from MedSegAI.Bridge.warped_volume import resampled_to_world
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Volume

_log = logging.getLogger(__name__)


def volume_to_node(
    volume: Volume,
    scene: slicer.vtkMRMLScene,
    *,
    name: str | None = None,
    display: slicer.vtkMRMLScalarVolumeDisplayNode | None = None,
) -> slicer.vtkMRMLScalarVolumeNode:
    """Show a volume in the scene as a new scalar volume node.

    The node shares the volume's memory where VTK can hold it as it is (see ``geometry.scalars_of``): editing the
    node's voxels then edits ``volume.array``. Geometry, dtype and all that the volume says of itself are kept.

    Args:
        volume: The scan, (k, j, i), LPS mm.
        scene: The scene to add to.
        name: Name of the node; the volume's where None.
        display: How it is shown, not yet in a scene. None takes Slicer's default, which looks at every voxel to find
            a good window.
    """
    node = slicer.vtkMRMLScalarVolumeNode()
    # Filled before it joins the scene: one event, one rendering.
    update_volume_node(node, volume)
    node = scene.AddNode(node)
    node.SetName(scene.GenerateUniqueName(name or volume.name))
    if display is None:
        node.CreateDefaultDisplayNodes()
    else:
        node.SetAndObserveDisplayNodeID(scene.AddNode(display).GetID())
    return node


def update_volume_node(node: slicer.vtkMRMLScalarVolumeNode, volume: Volume) -> None:
    """Give an existing node the voxels, geometry and attributes of ``volume``; its name and display stay."""
    image = vtkImageData()
    image.SetDimensions(volume.grid.size)
    image.GetPointData().SetScalars(scalars_of(volume.array))
    was_modifying = node.StartModify()
    node.SetIJKToRASMatrix(vtk_matrix(volume.grid.index_to_ras))
    node.SetAndObserveImageData(image)
    write_attributes(node, volume)
    node.EndModify(was_modifying)


def node_to_volume(node: slicer.vtkMRMLScalarVolumeNode, *, modality: Modality | None = None) -> Volume:
    """Read a node as a volume at its place in the world, its parent transforms applied.

    Without a transform, or under one that only moves, turns, mirrors or stretches along the volume's own axes, the
    voxels are a view of the node's memory (k, j, i) and the grid is exact. Under any other transform (shear,
    non-linear) the scan is resampled to a regular grid along the RAS axes at its finest spacing, and the log says so.

    Args:
        node: Scalar or label map volume node.
        modality: What was measured; None takes what the node says.

    Raises:
        InputError: if the node is empty, has several values a voxel, or its own axes are sheared.
    """
    name = node.GetName() or node.GetID() or "volume"
    array = voxels_of(node.GetImageData(), name=name)
    array, grid = _in_world(node, array, name)
    return Volume(
        array,
        grid,
        modality or modality_of(node),
        unit_of(node),
        name,
        frame_of_reference=frame_of_reference_of(node),
        steps=(*steps_of(node), *_record_of_alignment(node)),
        acquisition=acquisition_of(node),
    )


def world_grid(node: slicer.vtkMRMLVolumeNode) -> Grid | None:
    """The node's grid in the world (LPS), or None where its transforms shear or bend it.

    Raises:
        InputError: if the node is empty.
    """
    image = node.GetImageData()
    shape = voxels_of(image, name=node.GetName() or "volume").shape
    parent = node.GetParentTransformNode()
    if parent is not None and not parent.IsTransformToWorldLinear():
        return None
    affine = _matrix_of_node(node)
    try:
        return Grid.from_index_to_ras(shape, affine)
    except InputError:
        return None


def _record_of_alignment(node: slicer.vtkMRMLScalarVolumeNode) -> tuple[StepRecord, ...]:
    alignment = alignment_of(node)
    return () if alignment is None else (alignment.record(),)


def _in_world(node: slicer.vtkMRMLVolumeNode, array: np.ndarray, name: str) -> tuple[np.ndarray, Grid]:
    grid = world_grid(node)
    if grid is not None:
        return array, grid
    if node.GetParentTransformNode() is None:
        raise InputError(
            f"The axes of '{name}' are not perpendicular (a sheared volume, such as a tilted-gantry CT).",
            advice="Resample it to a regular grid first (in Slicer: Crop Volume with interpolation).",
        )
    _log.warning("'%s' lies under a transform that shears or bends it: it was resampled to a regular grid.", name)
    return resampled_to_world(node)


def _matrix_of_node(node: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """4 x 4 matrix from (i, j, k, 1) to world RAS mm, linear parent transforms applied."""
    ijk_to_ras, to_world = vtkMatrix4x4(), vtkMatrix4x4()
    node.GetIJKToRASMatrix(ijk_to_ras)
    parent = node.GetParentTransformNode()
    if parent is not None:
        parent.GetMatrixTransformToWorld(to_world)
    return matrix_array(to_world) @ matrix_array(ijk_to_ras)
