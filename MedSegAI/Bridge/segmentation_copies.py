"""What a segmentation was before anybody corrected it: a hidden copy in the scene, saved with it."""

from __future__ import annotations

import slicer

_COPY_ROLE = "MedSegAI.AsMade"


def keep_unaltered_copy(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLSegmentationNode:
    """Copy the segments as they are now into a node of their own, which is shown nowhere and hidden from editors."""
    scene = node.GetScene()
    copy = slicer.vtkMRMLSegmentationNode()
    copy.SetName(f"{node.GetName()} (as made)")
    copy.SetHideFromEditors(True)
    copy.GetSegmentation().DeepCopy(node.GetSegmentation())
    copy = scene.AddNode(copy)
    # Slicer gives a segmentation without a display node a visible one when the scene is loaded again.
    copy.CreateDefaultDisplayNodes()
    copy.SetDisplayVisibility(False)
    node.SetNodeReferenceID(_COPY_ROLE, copy.GetID())
    return copy


def unaltered_copy(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLSegmentationNode | None:
    """The copy that :func:`keep_unaltered_copy` made; None where there is none."""
    return node.GetNodeReference(_COPY_ROLE)
