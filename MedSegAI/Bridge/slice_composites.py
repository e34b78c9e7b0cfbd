"""What the slice views show: MRML keeps it in one composite node a view (scan behind, heat map in front)."""

from __future__ import annotations

import slicer

# Slicer shows a scene's composite node in the slice view of the same layout name.
_SLICE_VIEWS = ("Red", "Green", "Yellow")


def slice_composites(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLSliceCompositeNode]:
    """The composite nodes of all slice views; in a scene without views, those of the views Slicer will have."""
    if scene.GetNumberOfNodesByClass("vtkMRMLSliceCompositeNode") == 0:
        for view in _SLICE_VIEWS:
            node = slicer.vtkMRMLSliceCompositeNode()
            node.SetLayoutName(view)
            node.SetSingletonTag(view)
            scene.AddNode(node)
    count = scene.GetNumberOfNodesByClass("vtkMRMLSliceCompositeNode")
    return [scene.GetNthNodeByClass(index, "vtkMRMLSliceCompositeNode") for index in range(count)]


def show_scan(scan: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Show a scan in every slice view, nothing over it."""
    for composite in slice_composites(scan.GetScene()):
        was_modifying = composite.StartModify()
        composite.SetBackgroundVolumeID(scan.GetID())
        composite.SetForegroundVolumeID(None)
        composite.EndModify(was_modifying)
