"""Heat maps: a volume node with colours of its own, transparent below a threshold, laid over the scan."""

from __future__ import annotations

import slicer

from MedSegAI.Bridge.slice_composites import slice_composites
from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.report.heat_colours import HEAT_LEGEND, heat_colours
from MedSegAI.Logic.volume import Volume

COLOURS_NAME = "MedSegAI heat"
HEATMAP_ATTRIBUTE = "MedSegAI.HeatMap"


def heatmap_to_node(
    heat: Volume, scene: slicer.vtkMRMLScene, *, threshold: float = 0.3, name: str | None = None
) -> slicer.vtkMRMLScalarVolumeNode:
    """Show a heat map in the scene as a new scalar volume node.

    Args:
        heat: float32 (k, j, i), 0..1, normalised once over the volume; LPS mm.
        scene: The scene to add to.
        threshold: Voxels with less heat are transparent; 0..1.
        name: Name of the node; the volume's where None.

    Raises:
        InputError: if the threshold is outside 0..1.
    """
    node = volume_to_node(heat, scene, name=name)
    node.SetAttribute(HEATMAP_ATTRIBUTE, "1")
    node.SetDescription(HEAT_LEGEND)
    display = node.GetDisplayNode()
    was_modifying = display.StartModify()
    display.SetAndObserveColorNodeID(heat_colour_node(scene).GetID())
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0.0, 1.0)
    display.SetInterpolate(True)
    display.EndModify(was_modifying)
    set_heat_threshold(node, threshold)
    _add_legend(display)
    return node


def set_heat_threshold(node: slicer.vtkMRMLScalarVolumeNode, threshold: float) -> None:
    """Make voxels with less heat than ``threshold`` (0..1) transparent.

    Raises:
        InputError: if the threshold is outside 0..1.
    """
    if not 0.0 <= threshold <= 1.0:
        raise InputError(f"The heat map's threshold {threshold} is not usable.", advice="Choose a value from 0 to 1.")
    display = node.GetDisplayNode()
    was_modifying = display.StartModify()
    display.SetAutoThreshold(False)
    display.SetApplyThreshold(True)
    display.SetThreshold(threshold, 1.0)
    display.EndModify(was_modifying)


def heat_colour_node(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """The scene's table of 256 heat colours, made on first use."""
    found = scene.GetFirstNodeByName(COLOURS_NAME)
    if found is not None and found.IsA("vtkMRMLColorTableNode"):
        return found
    colours = heat_colours(256)
    node = slicer.vtkMRMLColorTableNode()
    node.SetName(COLOURS_NAME)
    node.SetTypeToUser()
    node.SetNumberOfColors(len(colours))
    for index, (red, green, blue) in enumerate(colours):
        node.SetColor(index, f"heat {index / (len(colours) - 1):.3f}", red, green, blue, 1.0)
    node.GetLookupTable().SetRange(0, len(colours) - 1)
    node.SetAttribute("Category", "MedSegAI")
    node.SetHideFromEditors(False)
    return scene.AddNode(node)


def show_over_scan(
    heat: slicer.vtkMRMLScalarVolumeNode, scan: slicer.vtkMRMLScalarVolumeNode, *, opacity: float = 0.5
) -> None:
    """Show the heat map over the scan in every slice view; in a scene without views, in those Slicer will have.

    Args:
        heat: The heat map's node.
        scan: The scan's node, in the same scene.
        opacity: Of the heat map where it is above its threshold; 0..1.

    Raises:
        InputError: if the opacity is outside 0..1.
    """
    if not 0.0 <= opacity <= 1.0:
        raise InputError(f"The heat map's opacity {opacity} is not usable.", advice="Choose a value from 0 to 1.")
    for composite in slice_composites(scan.GetScene()):
        was_modifying = composite.StartModify()
        composite.SetBackgroundVolumeID(scan.GetID())
        composite.SetForegroundVolumeID(heat.GetID())
        composite.SetForegroundOpacity(opacity)
        composite.EndModify(was_modifying)


def _add_legend(display: slicer.vtkMRMLScalarVolumeDisplayNode) -> None:
    """The colour bar that Slicer shows beside a heat map, with what the map means and what it does not."""
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(display)
    was_modifying = legend.StartModify()
    legend.SetAndObserveColorNodeID(display.GetColorNodeID())
    legend.SetTitleText("heat")
    legend.SetMaxNumberOfColors(256)
    legend.SetNumberOfLabels(3)
    legend.SetLabelFormat("%.1f")
    legend.SetDescription(HEAT_LEGEND)
    legend.SetSize(0.08, 0.45)
    legend.SetPosition(0.97, 0.5)
    legend.EndModify(was_modifying)
