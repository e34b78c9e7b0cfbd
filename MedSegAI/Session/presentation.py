"""What the views show of a case: derived from the case's state alone, so that undo and reload show the right thing."""

from __future__ import annotations

import slicer

from MedSegAI.Bridge.growing_segmentation import GROWING_ATTRIBUTE
from MedSegAI.Bridge.heat_surface import heat_surface_node, hide_heat_surface
from MedSegAI.Bridge.heatmap_nodes import set_heat_colours, set_heat_threshold
from MedSegAI.Bridge.scan_attributes import HEATMAP_ATTRIBUTE
from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Bridge.slice_composites import show_heat
from MedSegAI.Logic.files.segment_tags import PROVENANCE_TAG
from MedSegAI.Session.choices import Choices

CONSENSUS_ATTRIBUTE = "MedSegAI.Consensus"
"""On the node of every consensus; its value is the record of how it was fused."""

# Slicer's own opacities, and those under which a heat map inside the segments can be seen.
_USUAL_FILL, _FILL_UNDER_HEAT = 0.5, 0.0
_USUAL_SURFACE, _SURFACE_AROUND_HEAT = 1.0, 0.3


def present(
    scene: slicer.vtkMRMLScene,
    choices: Choices,
    *,
    scan: slicer.vtkMRMLScalarVolumeNode | None,
    segmentation: slicer.vtkMRMLSegmentationNode | None,
    growing: slicer.vtkMRMLSegmentationNode | None = None,
    heat_map: slicer.vtkMRMLScalarVolumeNode | None,
) -> None:
    """Show the case: the scan, or a stage of it, its current segmentation and heat map; hide what other runs left.

    A segmentation that is growing on the scan is shown in place of the current one.

    Segmentations that are neither a model's result nor a consensus, and everything else in the scene, stay as they
    are.
    """
    marks = (PROVENANCE_TAG, CONSENSUS_ATTRIBUTE, GROWING_ATTRIBUTE)
    for other in nodes_of_class(scene, "vtkMRMLSegmentationNode"):
        is_result = any(other.GetAttribute(mark) is not None for mark in marks)
        if is_result and other.GetDisplayNode() is not None:
            _set_visible(other, other is (growing or segmentation))
    for other in nodes_of_class(scene, "vtkMRMLScalarVolumeNode"):
        if other is not heat_map and other.GetAttribute(HEATMAP_ATTRIBUTE) is not None:
            hide_heat_surface(other)
    if scan is not None and scan.GetScene() is not None:
        shown = heat_map if choices.heat_in_slices else None
        show_heat(shown, scan, opacity=choices.heat_opacity)
    if heat_map is not None:
        set_heat_colours(heat_map, choices.heat_colours)
        set_heat_threshold(heat_map, choices.heat_threshold)
        if choices.heat_in_3d:
            heat_surface_node(heat_map, threshold=choices.heat_threshold, opacity=choices.heat_opacity)
        else:
            hide_heat_surface(heat_map)
    if segmentation is not None and segmentation.GetDisplayNode() is not None:
        _make_room_for_heat(segmentation.GetDisplayNode(), choices, is_there=heat_map is not None)


def _make_room_for_heat(display: slicer.vtkMRMLSegmentationDisplayNode, choices: Choices, *, is_there: bool) -> None:
    """Outlines instead of filled segments under a heat map, glassy surfaces around one; what a user set stays."""
    in_slices, in_3d = is_there and choices.heat_in_slices, is_there and choices.heat_in_3d
    fill = (_USUAL_FILL, _FILL_UNDER_HEAT) if in_slices else (_FILL_UNDER_HEAT, _USUAL_FILL)
    surface = (_USUAL_SURFACE, _SURFACE_AROUND_HEAT) if in_3d else (_SURFACE_AROUND_HEAT, _USUAL_SURFACE)
    if display.GetOpacity2DFill() == fill[0]:
        display.SetOpacity2DFill(fill[1])
    if display.GetOpacity3D() == surface[0]:
        display.SetOpacity3D(surface[1])


def _set_visible(node: slicer.vtkMRMLSegmentationNode, visible: bool) -> None:
    if bool(node.GetDisplayVisibility()) != visible:
        node.SetDisplayVisibility(visible)
