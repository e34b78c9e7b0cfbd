"""Points that belong to segments: a list of control points in the scene, each with its segment's ID."""

from __future__ import annotations

import numpy as np
import slicer

from MedSegAI.Bridge.region_nodes import new_point
from MedSegAI.Logic.geometry import Triple


def new_point_list(scene: slicer.vtkMRMLScene, *, name: str) -> slicer.vtkMRMLMarkupsFiducialNode:
    """A list of points that are shown small, and cannot be dragged: each says where a segment came from."""
    selection = scene.GetFirstNodeByClass("vtkMRMLSelectionNode")
    active = None if selection is None else selection.GetActivePlaceNodeID()
    node = new_point(scene, name=name)
    # Slicer lets the next click go to a list that was just added.
    if selection is not None:
        selection.SetActivePlaceNodeID(active)
    node.SetLocked(True)
    display = node.GetDisplayNode()
    display.SetTextScale(2.5)
    display.SetUseGlyphScale(True)
    display.SetGlyphScale(1.2)
    display.SetSelectedColor(1.0, 0.85, 0.2)
    return node


def new_aim(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLMarkupsFiducialNode:
    """The node that the next click in a view goes to; it is not saved with the scene, and no one's list."""
    node = slicer.vtkMRMLMarkupsFiducialNode()
    node.SetName("Point here")
    node.SetSaveWithScene(False)
    node.SetHideFromEditors(True)
    node = scene.AddNode(node)
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetSaveWithScene(False)
    node.GetDisplayNode().SetPointLabelsVisibility(False)
    return node


def is_placing(scene: slicer.vtkMRMLScene) -> bool:
    """Whether the next click in a view places a point."""
    interaction = scene.GetFirstNodeByClass("vtkMRMLInteractionNode")
    return interaction is not None and interaction.GetCurrentInteractionMode() == interaction.Place


def takes_clicks(aim: slicer.vtkMRMLMarkupsFiducialNode) -> bool:
    """Whether the next click in a view goes to this node: Slicer gives it to any list that comes into the scene."""
    scene = aim.GetScene()
    selection = None if scene is None else scene.GetFirstNodeByClass("vtkMRMLSelectionNode")
    if selection is None or not is_placing(scene):
        return False
    return selection.GetActivePlaceNodeID() == aim.GetID()


def add_point(node: slicer.vtkMRMLMarkupsFiducialNode, point: Triple, *, name: str, key: str) -> None:
    """Add the point of a segment, unless it is there.

    Args:
        node: The list.
        point: (R, A, S) mm of the world.
        name: What is written beside it.
        key: ID of the segment; empty for one that has none yet.
    """
    if key and key in point_keys(node):
        return
    index = node.AddControlPointWorld(*point, name)
    node.SetNthControlPointDescription(index, key)
    node.SetNthControlPointLocked(index, True)


def remove_point(node: slicer.vtkMRMLMarkupsFiducialNode, key: str) -> None:
    """Remove the point of a segment, if it is there."""
    for index in reversed(range(node.GetNumberOfControlPoints())):
        if node.GetNthControlPointDescription(index) == key:
            node.RemoveNthControlPoint(index)


def point_keys(node: slicer.vtkMRMLMarkupsFiducialNode) -> tuple[str, ...]:
    """The IDs of the segments whose points are in the list."""
    return tuple(node.GetNthControlPointDescription(index) for index in range(node.GetNumberOfControlPoints()))


def last_placed(node: slicer.vtkMRMLMarkupsFiducialNode) -> Triple | None:
    """Where the last point that was placed lies, (R, A, S) mm of the world; None where none is."""
    for index in reversed(range(node.GetNumberOfControlPoints())):
        if node.GetNthControlPointPositionStatus(index) == node.PositionDefined:
            place = np.zeros(3)
            node.GetNthControlPointPositionWorld(index, place)
            return tuple(float(value) for value in place)
    return None
