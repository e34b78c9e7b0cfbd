"""What the slice views show and where: scan behind, heat map in front, the slices through a result."""

from __future__ import annotations

import numpy as np
import slicer
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkCommonTransforms import vtkGeneralTransform

from MedSegAI.Bridge.scan_attributes import HEATMAP_ATTRIBUTE
from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Bridge.segment_runs import segment_runs
from MedSegAI.Bridge.segmentation_nodes import BINARY_LABELMAP
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import swap_lps_and_ras

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
    return nodes_of_class(scene, "vtkMRMLSliceCompositeNode")


def show_scan(scan: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Show a scan in every slice view, without a heat map.

    A view that shows the scan already keeps what the user laid over it, unless that is a heat map.
    """
    for composite in slice_composites(scan.GetScene()):
        if composite.GetBackgroundVolumeID() != scan.GetID() or _shows_heat(composite):
            _set(composite, background=scan.GetID(), foreground=None)


def show_heat(
    heat: slicer.vtkMRMLScalarVolumeNode | None, scan: slicer.vtkMRMLScalarVolumeNode, *, opacity: float = 0.5
) -> None:
    """Show the heat map over the scan in every slice view; in a scene without views, in those Slicer will have.

    Args:
        heat: The heat map's node; None takes heat maps away and shows the scan as :func:`show_scan` does.
        scan: The scan's node, in the same scene.
        opacity: Of the heat map where it is above its threshold; 0..1.

    Raises:
        InputError: if the opacity is outside 0..1.
    """
    if heat is None:
        show_scan(scan)
        return
    if not 0.0 <= opacity <= 1.0:
        raise InputError(f"The heat map's opacity {opacity} is not usable.", advice="Choose a value from 0 to 1.")
    for composite in slice_composites(scan.GetScene()):
        _set(composite, background=scan.GetID(), foreground=heat.GetID(), opacity=opacity)


def centre_slices_on(scene: slicer.vtkMRMLScene, node: slicer.vtkMRMLSegmentationNode) -> None:
    """Move every slice view's slice through the middle of the segmentation's largest segment.

    The point is a voxel of that segment, so its outline is in view. A view is moved sideways only where the point
    would lie outside it. Without voxels, or in a scene without slice views, nothing happens.
    """
    point = _middle_of_largest_segment(node)
    if point is not None:
        centre_slices_at(scene, point)


def centre_slices_at(scene: slicer.vtkMRMLScene, ras: np.ndarray) -> None:
    """Move every slice view's slice through a point (RAS mm), sideways only where the point would lie outside it."""
    for view in nodes_of_class(scene, "vtkMRMLSliceNode"):
        if _is_inside(view, ras):
            view.JumpSliceByOffsetting(*ras)
        else:
            view.JumpSliceByCentering(*ras)


def centre_slices_at_lps(scene: slicer.vtkMRMLScene, lps: tuple[float, float, float]) -> None:
    """As :func:`centre_slices_at`, for a point as Logic says it (LPS mm)."""
    centre_slices_at(scene, swap_lps_and_ras(np.asarray(lps, dtype=float)))


def _set(
    composite: slicer.vtkMRMLSliceCompositeNode,
    *,
    background: str,
    foreground: str | None,
    opacity: float | None = None,
) -> None:
    # Setters that are given what is there already tell no observer.
    before = composite.GetForegroundVolumeID()
    was_modifying = composite.StartModify()
    composite.SetBackgroundVolumeID(background)
    composite.SetForegroundVolumeID(foreground)
    if opacity is not None:
        composite.SetForegroundOpacity(opacity)
    composite.EndModify(was_modifying)
    for shown in {before, foreground} - {None} if before != foreground else ():
        _draw_legend_anew(composite.GetScene().GetNodeByID(shown))


def _draw_legend_anew(volume: slicer.vtkMRMLVolumeNode | None) -> None:
    # Slice views look whether a legend's volume is shown when the legend changes, not when the volume comes or goes.
    legend = None if volume is None else slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volume)
    if legend is not None:
        legend.Modified()


def _shows_heat(composite: slicer.vtkMRMLSliceCompositeNode) -> bool:
    shown = composite.GetForegroundVolumeID()
    node = composite.GetScene().GetNodeByID(shown) if shown else None
    return node is not None and node.GetAttribute(HEATMAP_ATTRIBUTE) is not None


def _middle_of_largest_segment(node: slicer.vtkMRMLSegmentationNode) -> np.ndarray | None:
    """RAS mm in the world of the voxel that lies nearest to the middle of the largest segment; None without voxels."""
    found = segment_runs(node)
    sizes = {key: runs[:, 3] - runs[:, 2] for key, runs in found.items() if len(runs)}
    if not sizes:
        return None
    key = max(sizes, key=lambda one: sizes[one].sum())
    runs, weights = found[key], sizes[key]
    centres = np.column_stack([(runs[:, 2] + runs[:, 3] - 1) / 2, runs[:, 1], runs[:, 0]])
    image = node.GetSegmentation().GetSegment(key).GetRepresentation(BINARY_LABELMAP)
    apart = (centres - np.average(centres, axis=0, weights=weights)) * image.GetSpacing()
    nearest = centres[np.argmin((apart**2).sum(axis=1))]
    matrix = vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    to_world = vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(node.GetParentTransformNode(), None, to_world)
    return np.array(to_world.TransformPoint(matrix.MultiplyPoint([*nearest, 1.0])[:3]))


def _is_inside(view: slicer.vtkMRMLSliceNode, point: np.ndarray) -> bool:
    """Whether the point (RAS mm) lies within what the view shows, wherever its slice is."""
    to_view = vtkMatrix4x4()
    vtkMatrix4x4.Invert(view.GetXYToRAS(), to_view)
    x, y = to_view.MultiplyPoint([*point, 1.0])[:2]
    width, height = view.GetDimensions()[:2]
    return bool(0 <= x < width and 0 <= y < height)
