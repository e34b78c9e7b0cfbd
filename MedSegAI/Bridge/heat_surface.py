"""A heat map in 3D: the surface where it reaches its threshold, as one translucent model a heat map."""

from __future__ import annotations

import numpy as np
import slicer
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkPolyData
from vtkmodules.vtkCommonTransforms import vtkTransform
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D, vtkWindowedSincPolyDataFilter
from vtkmodules.vtkFiltersGeneral import vtkTransformPolyDataFilter

from MedSegAI.Bridge.geometry import matrix_array, scalars_of, voxels_of, vtk_matrix
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box

SURFACE_ROLE = "MedSegAI.HeatSurface"
_COLOUR_AT = 0.75
# Heat is 0 wherever the network did not look, so a surface "at 0" has no place.
_LOWEST_LEVEL = 0.01
_SMOOTHING_STEPS = 15


def heat_surface_node(
    heat: slicer.vtkMRMLScalarVolumeNode, *, threshold: float, opacity: float
) -> slicer.vtkMRMLModelNode:
    """Show the surface where a heat map reaches ``threshold``; the heat map's one model is made or brought up to date.

    It follows the heat map's parent transform and has the colour of high heat in the heat map's own colours. Above
    the heat map's maximum it is empty.

    Args:
        heat: The heat map's node, 0..1.
        threshold: 0..1; less than 0.01 is taken as 0.01.
        opacity: Of the surface, 0..1.

    Raises:
        InputError: if the threshold or opacity is outside 0..1, or the heat map has no voxels.
    """
    for what, value in (("threshold", threshold), ("opacity", opacity)):
        if not 0.0 <= value <= 1.0:
            raise InputError(f"The heat map's {what} {value} is not usable.", advice="Choose a value from 0 to 1.")
    surface, model = level_surface(heat, threshold), shown_heat_surface(heat)
    if model is None:
        model = new_surface_model(heat, surface, opacity=opacity)
        heat.SetNodeReferenceID(SURFACE_ROLE, model.GetID())
        return model
    model.SetAndObserveTransformNodeID(heat.GetTransformNodeID())
    model.SetAndObservePolyData(surface)
    display = model.GetDisplayNode()
    was_modifying = display.StartModify()
    display.SetColor(*_hot_colour(heat))
    display.SetOpacity(opacity)
    display.SetVisibility(True)
    display.EndModify(was_modifying)
    return model


def hide_heat_surface(heat: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Hide the heat map's surface, if it has one; showing it again finds the same model."""
    model = shown_heat_surface(heat)
    if model is not None and model.GetDisplayNode() is not None:
        model.GetDisplayNode().SetVisibility(False)


def shown_heat_surface(heat: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLModelNode | None:
    """The model that :func:`heat_surface_node` made for this heat map, also after a scene was loaded; else None."""
    return heat.GetNodeReference(SURFACE_ROLE)


def new_surface_model(
    heat: slicer.vtkMRMLScalarVolumeNode, surface: vtkPolyData, *, opacity: float
) -> slicer.vtkMRMLModelNode:
    """A new model of a heat map's surface, under the heat map's parent transform; the heat map does not refer to it."""
    scene = heat.GetScene()
    model = scene.AddNewNodeByClass("vtkMRMLModelNode", scene.GenerateUniqueName(f"{heat.GetName()} surface"))
    model.SetAndObserveTransformNodeID(heat.GetTransformNodeID())
    model.SetAndObservePolyData(surface)
    model.CreateDefaultDisplayNodes()
    display = model.GetDisplayNode()
    was_modifying = display.StartModify()
    display.SetScalarVisibility(False)
    display.SetVisibility2D(False)
    display.SetColor(*_hot_colour(heat))
    display.SetOpacity(opacity)
    display.EndModify(was_modifying)
    return model


def level_surface(heat: slicer.vtkMRMLScalarVolumeNode, level: float) -> vtkPolyData:
    """The surface where a heat map reaches ``level`` (0..1), RAS mm of the node's own space; empty above its maximum.

    Raises:
        InputError: if the heat map has no voxels.
    """
    level = max(level, _LOWEST_LEVEL)
    array = voxels_of(heat.GetImageData(), name=heat.GetName() or "heat map")
    box = Box.around(array >= level)
    if box is None:
        return vtkPolyData()
    # Beyond the outermost hot voxels lies one of background, so that the surface closes at the scan's edge, too.
    around = box.grow(2)
    inside = around.clip(array.shape)
    part = np.zeros(around.shape, array.dtype)
    part[inside.shift(tuple(-start for start in around.start)).slices] = array[inside.slices]
    image = vtkImageData()
    image.SetDimensions(part.shape[::-1])
    image.GetPointData().SetScalars(scalars_of(part))
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, level)
    edges.SetComputeScalars(False)
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(edges.GetOutputPort())
    smooth.SetNumberOfIterations(_SMOOTHING_STEPS)
    place = vtkTransformPolyDataFilter()
    place.SetTransform(_part_to_ras(heat, around))
    place.SetInputConnection(smooth.GetOutputPort())
    place.Update()
    return place.GetOutput()


def _part_to_ras(heat: slicer.vtkMRMLScalarVolumeNode, part: Box) -> vtkTransform:
    ijk_to_ras = vtk_matrix(np.eye(4))
    heat.GetIJKToRASMatrix(ijk_to_ras)
    matrix = matrix_array(ijk_to_ras)
    matrix[:3, 3] = (matrix @ [*part.start[::-1], 1.0])[:3]
    transform = vtkTransform()
    transform.SetMatrix(vtk_matrix(matrix))
    return transform


def _hot_colour(heat: slicer.vtkMRMLScalarVolumeNode) -> tuple[float, ...]:
    colours = heat.GetDisplayNode().GetColorNode().GetLookupTable()
    return colours.GetTableValue(round(_COLOUR_AT * (colours.GetNumberOfTableValues() - 1)))[:3]
