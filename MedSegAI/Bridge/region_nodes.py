"""The region to segment, as a user draws it in Slicer: a box (ROI) or a clicked point, and the text it stands for."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import slicer

from MedSegAI.Logic.errors import InputError

_SHARE_OF_SCAN = 0.5


def roi_to_region(node: slicer.vtkMRMLMarkupsROINode) -> str:
    """The region an ROI stands for, as ``Logic/localise/region_of_interest.py`` reads it.

    Args:
        node: The ROI; its parent transforms are applied. A turned one gives the box around it.

    Returns:
        ``x0,x1,y0,y1,z0,z1`` in RAS mm of the world.

    Raises:
        InputError: if the ROI is not placed or has no extent.
    """
    if node.GetNumberOfDefinedControlPoints() == 0:
        raise InputError(f"The ROI '{node.GetName()}' is not placed yet.", advice="Draw it around the structure.")
    if min(node.GetSize()) <= 0:
        raise InputError(f"The ROI '{node.GetName()}' has no extent.", advice="Make it larger in all three directions.")
    bounds = np.zeros(6)
    node.GetRASBounds(bounds)
    return _text(bounds[::2], bounds[1::2])


def point_to_region(node: slicer.vtkMRMLMarkupsFiducialNode, size_mm: tuple[float, float, float]) -> str:
    """The region around the last point that was placed, as ``Logic/localise/region_of_interest.py`` reads it.

    Args:
        node: The list of points; its parent transforms are applied.
        size_mm: Extent along R, A and S in mm, such as a model card's ``point_box_mm``.

    Returns:
        ``x0,x1,y0,y1,z0,z1`` in RAS mm of the world.

    Raises:
        InputError: if no point is placed.
    """
    placed = [
        index
        for index in range(node.GetNumberOfControlPoints())
        if node.GetNthControlPointPositionStatus(index) == node.PositionDefined
    ]
    if not placed:
        raise InputError(f"No point is placed in '{node.GetName()}'.", advice="Click on the structure in a slice view.")
    middle, half = np.zeros(3), np.array(size_mm, dtype=float) / 2
    node.GetNthControlPointPositionWorld(placed[-1], middle)
    return _text(middle - half, middle + half)


def new_roi(scan: slicer.vtkMRMLScalarVolumeNode, *, name: str = "Region") -> slicer.vtkMRMLMarkupsROINode:
    """A new ROI in the scan's scene around the middle half of the scan (RAS mm of the world), with handles to drag.

    Raises:
        InputError: if the scan has no voxels.
    """
    if scan.GetImageData() is None:
        raise InputError(f"'{scan.GetName()}' holds no voxels.", advice="Load the scan again or choose another.")
    bounds = np.zeros(6)
    scan.GetRASBounds(bounds)
    node = _new_markup(scan.GetScene(), "vtkMRMLMarkupsROINode", name)
    node.SetCenter((bounds[::2] + bounds[1::2]) / 2)
    node.SetSize((bounds[1::2] - bounds[::2]) * _SHARE_OF_SCAN)
    display = node.GetDisplayNode()
    display.SetFillVisibility(False)
    display.SetHandlesInteractive(True)
    return node


def new_point(scene: slicer.vtkMRMLScene, *, name: str = "Point") -> slicer.vtkMRMLMarkupsFiducialNode:
    """A new list without points, for the user to place one."""
    return _new_markup(scene, "vtkMRMLMarkupsFiducialNode", name)


def _new_markup(scene: slicer.vtkMRMLScene, kind: str, name: str) -> slicer.vtkMRMLMarkupsNode:
    node = scene.AddNewNodeByClass(kind, scene.GenerateUniqueName(name))
    node.CreateDefaultDisplayNodes()
    return node


def _text(low: Sequence[float], high: Sequence[float]) -> str:
    # Adding 0 makes of a rounded -0 a 0.
    return ",".join(f"{round(float(edge), 3) + 0.0:.10g}" for edge in itertools.chain(*zip(low, high)))
