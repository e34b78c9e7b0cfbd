"""Raters' segmentations in the scene: outlines in a colour of their own, so that several can be told apart."""

from __future__ import annotations

import slicer

from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Bridge.segmentation_nodes import segmentation_to_node
from MedSegAI.Logic.errors import LabelError
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.volume import Volume

RATER_ATTRIBUTE = "MedSegAI.Rater"
_ENTRY_ATTRIBUTE = "MedSegAI.JournalEntry"

# Okabe and Ito (2008): told apart by people with any kind of colour vision.
_COLOURS = (
    (0.90, 0.62, 0.00),
    (0.34, 0.71, 0.91),
    (0.00, 0.62, 0.45),
    (0.94, 0.89, 0.26),
    (0.80, 0.47, 0.65),
    (0.84, 0.37, 0.00),
    (0.00, 0.45, 0.70),
)


def rater_to_node(
    labels: Volume,
    table: LabelTable,
    scan: slicer.vtkMRMLScalarVolumeNode,
    *,
    rater: str,
    entry: str,
    number: int,
) -> slicer.vtkMRMLSegmentationNode:
    """Show what a rater says as outlines; the node that shows an earlier state of the same rater takes the later one.

    Args:
        labels: uint8 (k, j, i) on the scan's grid, LPS mm.
        table: Its labels.
        scan: The scan's node.
        rater: Whose it is.
        entry: Hash of the journal's entry that is shown.
        number: Place among the raters, from 0; it decides the colour.

    Raises:
        LabelError: if the array holds a value that the table does not name.
    """
    earlier = rater_node(scan.GetScene(), rater)
    if earlier is not None:
        # The same node, so that undo, which takes nodes out of the scene again, never leaves two of one rater.
        try:
            update_segments(earlier, labels)
        except LabelError:
            scan.GetScene().RemoveNode(earlier)
        else:
            earlier.SetAttribute(_ENTRY_ATTRIBUTE, entry)
            return earlier
    node = segmentation_to_node(labels, table, scan.GetScene(), reference=scan, name=f"{scan.GetName()}: {rater}")
    node.SetAttribute(RATER_ATTRIBUTE, rater)
    # It shows what the journal holds; nobody is to take it for a result and correct it.
    node.SetHideFromEditors(True)
    node.SetAttribute(_ENTRY_ATTRIBUTE, entry)
    segmentation = node.GetSegmentation()
    for index in range(segmentation.GetNumberOfSegments()):
        segmentation.GetNthSegment(index).SetColor(*rater_colour(number))
    display = node.GetDisplayNode()
    was_modifying = display.StartModify()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetSliceIntersectionThickness(2)
    display.SetVisibility3D(False)
    display.EndModify(was_modifying)
    return node


def rater_colour(number: int) -> tuple[float, float, float]:
    """Red, green, blue (0..1) of the rater in this place, from 0; they repeat after seven."""
    return _COLOURS[number % len(_COLOURS)]


def rater_node(scene: slicer.vtkMRMLScene, rater: str) -> slicer.vtkMRMLSegmentationNode | None:
    """The node that shows this rater; None where the scene has none."""
    nodes = nodes_of_class(scene, "vtkMRMLSegmentationNode")
    return next((node for node in nodes if node.GetAttribute(RATER_ATTRIBUTE) == rater), None)


def shown_entry(node: slicer.vtkMRMLSegmentationNode) -> str:
    """Hash of the journal's entry that the node shows."""
    return node.GetAttribute(_ENTRY_ATTRIBUTE) or ""
