"""What a segmentation was before anybody corrected it: a hidden copy in the scene, saved with it."""

from __future__ import annotations

import slicer

_COPY_ROLE = "MedSegAI.AsMade"


def copy_to_keep(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLSegmentationNode:
    """A copy of the segments as they are now, which is in no scene yet; for :func:`keep_unaltered_copy`."""
    copy = slicer.vtkMRMLSegmentationNode()
    copy.SetHideFromEditors(True)
    copy.GetSegmentation().DeepCopy(node.GetSegmentation())
    return copy


def keep_unaltered_copy(
    node: slicer.vtkMRMLSegmentationNode, *, copy: slicer.vtkMRMLSegmentationNode | None = None
) -> slicer.vtkMRMLSegmentationNode:
    """Keep the segments as they are now in a node of their own, which is shown nowhere and hidden from editors.

    Args:
        node: The segmentation; in a scene.
        copy: What :func:`copy_to_keep` made of it, where that was done before.
    """
    copy = copy or copy_to_keep(node)
    copy.SetName(f"{node.GetName()} (as made)")
    copy = node.GetScene().AddNode(copy)
    # Slicer gives a segmentation without a display node a visible one when the scene is loaded again.
    copy.CreateDefaultDisplayNodes()
    copy.SetDisplayVisibility(False)
    node.SetNodeReferenceID(_COPY_ROLE, copy.GetID())
    return copy


def unaltered_copy(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLSegmentationNode | None:
    """The copy that :func:`keep_unaltered_copy` made; None where there is none."""
    return node.GetNodeReference(_COPY_ROLE)
