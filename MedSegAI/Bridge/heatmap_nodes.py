"""Heat maps: a volume node with colours of its own, transparent below a threshold."""

from __future__ import annotations

import slicer

from MedSegAI.Bridge.scan_attributes import HEATMAP_ATTRIBUTE
from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.report.heat_colours import HEAT_COLOUR_MAPS, HEAT_LEGEND, heat_colours
from MedSegAI.Logic.volume import Volume

_COLOURS_ATTRIBUTE = "MedSegAI.HeatColours"


def heatmap_to_node(
    heat: Volume,
    scene: slicer.vtkMRMLScene,
    *,
    threshold: float = 0.3,
    name: str | None = None,
    colours: str = HEAT_COLOUR_MAPS[0],
    title: str = "heat",
    meaning: str = HEAT_LEGEND,
) -> slicer.vtkMRMLScalarVolumeNode:
    """Show a heat map in the scene as a new scalar volume node.

    Args:
        heat: float32 (k, j, i), 0..1, normalised once over the volume; LPS mm.
        scene: The scene to add to.
        threshold: Voxels with less heat are transparent; 0..1.
        name: Name of the node; the volume's where None.
        colours: One of ``HEAT_COLOUR_MAPS``.
        title: What stands above its colour bar; one word.
        meaning: What the map shows and what it does not; kept with the node and its colour bar.

    Raises:
        InputError: if the threshold is outside 0..1, or there are no such colours; nothing is added then.
    """
    _refuse_threshold(threshold)
    table = heat_colour_node(scene, colours)
    display = slicer.vtkMRMLScalarVolumeDisplayNode()
    # Its window is known, so the voxels need not be searched for one.
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0.0, 1.0)
    display.SetInterpolate(True)
    node = volume_to_node(heat, scene, name=name, display=display)
    node.SetAttribute(HEATMAP_ATTRIBUTE, "1")
    node.SetDescription(meaning)
    display.SetAndObserveColorNodeID(table.GetID())
    set_heat_threshold(node, threshold)
    _add_legend(display, title, meaning)
    return node


def set_heat_threshold(node: slicer.vtkMRMLScalarVolumeNode, threshold: float) -> None:
    """Make voxels with less heat than ``threshold`` (0..1) transparent.

    Raises:
        InputError: if the threshold is outside 0..1.
    """
    _refuse_threshold(threshold)
    display = node.GetDisplayNode()
    was_modifying = display.StartModify()
    display.SetAutoThreshold(False)
    display.SetApplyThreshold(True)
    display.SetThreshold(threshold, 1.0)
    display.EndModify(was_modifying)


def set_heat_colours(node: slicer.vtkMRMLScalarVolumeNode, name: str) -> None:
    """Show a heat map, and its colour bar, in other colours.

    Args:
        node: The heat map's node.
        name: One of ``HEAT_COLOUR_MAPS``.

    Raises:
        InputError: if there are no such colours.
    """
    table, display = heat_colour_node(node.GetScene(), name), node.GetDisplayNode()
    display.SetAndObserveColorNodeID(table.GetID())
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(display)
    if legend is not None:
        legend.SetAndObserveColorNodeID(table.GetID())


def heat_colours_of(node: slicer.vtkMRMLScalarVolumeNode) -> str | None:
    """Which of ``HEAT_COLOUR_MAPS`` a heat map is shown in; None where the user chose a table of Slicer's."""
    table = node.GetDisplayNode().GetColorNode()
    return table.GetAttribute(_COLOURS_ATTRIBUTE) if table is not None else None


def heat_colour_node(scene: slicer.vtkMRMLScene, name: str = HEAT_COLOUR_MAPS[0]) -> slicer.vtkMRMLColorTableNode:
    """The scene's table of 256 heat colours of that name, made on first use.

    Raises:
        InputError: if there are no such colours.
    """
    colours = heat_colours(256, name=name)
    for found in nodes_of_class(scene, "vtkMRMLColorTableNode"):
        if found.GetAttribute(_COLOURS_ATTRIBUTE) == name:
            return found
    node = slicer.vtkMRMLColorTableNode()
    node.SetName(f"MedSegAI {name}")
    node.SetTypeToUser()
    node.SetNumberOfColors(len(colours))
    for index, (red, green, blue) in enumerate(colours):
        node.SetColor(index, f"heat {index / (len(colours) - 1):.3f}", red, green, blue, 1.0)
    node.GetLookupTable().SetRange(0, len(colours) - 1)
    node.SetAttribute("Category", "MedSegAI")
    node.SetAttribute(_COLOURS_ATTRIBUTE, name)
    node.SetHideFromEditors(False)
    return scene.AddNode(node)


def _refuse_threshold(threshold: float) -> None:
    if not 0.0 <= threshold <= 1.0:
        raise InputError(f"The heat map's threshold {threshold} is not usable.", advice="Choose a value from 0 to 1.")


def _add_legend(display: slicer.vtkMRMLScalarVolumeDisplayNode, title: str, meaning: str) -> None:
    """The colour bar that Slicer shows beside a heat map, with what the map means and what it does not."""
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(display)
    was_modifying = legend.StartModify()
    legend.SetAndObserveColorNodeID(display.GetColorNodeID())
    legend.SetTitleText(title)
    legend.SetMaxNumberOfColors(256)
    legend.SetNumberOfLabels(3)
    legend.SetLabelFormat("%.1f")
    legend.SetDescription(meaning)
    legend.SetSize(0.08, 0.45)
    legend.SetPosition(0.97, 0.5)
    legend.EndModify(was_modifying)
