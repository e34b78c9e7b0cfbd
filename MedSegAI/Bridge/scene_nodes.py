"""The nodes of a scene, by class."""

from __future__ import annotations

import slicer


def nodes_of_class(scene: slicer.vtkMRMLScene, kind: str) -> list[slicer.vtkMRMLNode]:
    """All nodes of an MRML class, subclasses included, in the order in which they came into the scene."""
    return [scene.GetNthNodeByClass(index, kind) for index in range(scene.GetNumberOfNodesByClass(kind))]
