"""A segmentation that is shown while it grows: in the scene, but no part of what is saved, edited or undone."""

from __future__ import annotations

import numpy as np
import slicer

from MedSegAI.Bridge.geometry import extent_of, scalars_of, vtk_matrix
from MedSegAI.Bridge.segment_layers import layer_voxels
from MedSegAI.Bridge.segment_runs import BINARY_LABELMAP
from MedSegAI.Bridge.segmentation_nodes import new_segment
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import LabelTable

PartLabels = np.ndarray
"""The uint8 labels (k, j, i) of a box of the scan's grid."""

GROWING_ATTRIBUTE = "MedSegAI.Growing"
"""On the node of a segmentation that is still being computed."""


def growing_node(
    table: LabelTable,
    scene: slicer.vtkMRMLScene,
    *,
    grid: Grid,
    reference: slicer.vtkMRMLScalarVolumeNode,
    name: str,
) -> slicer.vtkMRMLSegmentationNode:
    """A segmentation node without voxels, for :func:`write_part`.

    Its one layer covers the whole grid from the beginning, so that writing a part never moves the others; memory is
    taken only where something is written.

    Args:
        table: The labels that may come.
        scene: The scene to add to.
        grid: The scan's grid, LPS mm.
        reference: The scan's node.
        name: Name of the node.
    """
    node = slicer.vtkMRMLSegmentationNode()
    node.SetName(scene.GenerateUniqueName(name))
    node.SetAttribute(GROWING_ATTRIBUTE, "true")
    node.SetSaveWithScene(False)
    node.SetHideFromEditors(True)
    node = scene.AddNode(node)
    was_modifying = node.StartModify()
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetSaveWithScene(False)
    # A surface of what is not finished would be computed again and again.
    display.SetVisibility3D(False)
    node.SetReferenceImageGeometryParameterFromVolumeNode(reference)
    layer = slicer.vtkOrientedImageData()
    layer.SetExtent(extent_of(Box.whole(grid.shape)))
    layer.GetPointData().SetScalars(scalars_of(np.zeros(grid.shape, np.uint8)))
    layer.SetImageToWorldMatrix(vtk_matrix(grid.index_to_ras))
    for label in table:
        segment = new_segment(label)
        segment.AddRepresentation(BINARY_LABELMAP, layer)
        node.GetSegmentation().AddSegment(segment, label.key)
    node.EndModify(was_modifying)
    return node


def write_part(node: slicer.vtkMRMLSegmentationNode, box: Box, labels: PartLabels) -> None:
    """Write the labels of a box of the scan's grid into a node of :func:`growing_node`."""
    layer = node.GetSegmentation().GetNthSegment(0).GetRepresentation(BINARY_LABELMAP)
    layer_voxels(layer)[box.slices] = labels
    layer.Modified()
    # Slice views draw a segmentation that no editor works on anew only when its display changes.
    node.GetDisplayNode().Modified()
