"""Writing a changed box of a label map into a segmentation node: nothing else is touched."""

from __future__ import annotations

import numpy as np
import slicer

from MedSegAI.Bridge.geometry import box_of
from MedSegAI.Bridge.segment_layers import grow_layer, layer_voxels, offset_to_layer
from MedSegAI.Bridge.segment_surfaces import CLOSED_SURFACE, create_surfaces
from MedSegAI.Bridge.segmentation_nodes import BINARY_LABELMAP, label_value_of
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.label_counts import label_values
from MedSegAI.Logic.volume import Volume


def update_segments(node: slicer.vtkMRMLSegmentationNode, labels: Volume, *, box: Box | None = None) -> None:
    """Make the node's segments equal to ``labels`` inside ``box``.

    Only segments that came from a label table are written; segments the user added, and every voxel outside the box,
    stay as they are. Segments keep their IDs, names, colours and tags. Observers hear of it once a layer, which is
    once unless the user let our own segments overlap. Closed surfaces are made again where there were some.

    Args:
        node: Made by :func:`segmentation_nodes.segmentation_to_node`.
        labels: uint8 (k, j, i) on the grid the node was made with; only the voxels of ``box`` are read.
        box: The changed voxels (k, j, i), half-open, clipped to the grid; None for the whole grid.

    Raises:
        LabelError: if the box holds a value for which the node has no segment.
        InputError: if the node's layers no longer lie on the grid of ``labels``.
    """
    box = (box or Box.whole(labels.grid.shape)).clip(labels.grid.shape)
    if box.is_empty:
        return
    segmentation = node.GetSegmentation()
    ours = _our_segments(segmentation)
    _refuse_unknown_values(labels.array[box.slices], set(ours.values()), node)
    segmentation.CreateRepresentation(BINARY_LABELMAP)
    _move_foreign_segments_aside(segmentation, set(ours))
    layers = _layers(segmentation, ours)
    offsets = [offset_to_layer(labels.grid, image) for image, _ in layers]
    if any(offset is None for offset in offsets):
        raise InputError(
            f"The voxels of '{node.GetName()}' no longer lie on the grid of '{labels.name}'.",
            advice="Set the segmentation's geometry back to the scan's, or make a new segmentation.",
        )
    has_surfaces = segmentation.ContainsRepresentation(CLOSED_SURFACE)
    changed = False
    for (image, values), offset in zip(layers, offsets):
        if _write(image, values, labels.array[box.slices], box.shift(offset)):
            image.Modified()
            changed = True
    if has_surfaces and not segmentation.ContainsRepresentation(CLOSED_SURFACE):
        create_surfaces(node, smoothing=float(segmentation.GetConversionParameter("Smoothing factor")))
    # Slice views draw a segmentation that no editor works on anew only when its display changes.
    if changed and node.GetDisplayNode() is not None:
        node.GetDisplayNode().Modified()


def _our_segments(segmentation: slicer.vtkSegmentation) -> dict[str, int]:
    """Segment ID to label value, for the segments that came from a label table."""
    ids = (segmentation.GetNthSegmentID(n) for n in range(segmentation.GetNumberOfSegments()))
    values = {key: label_value_of(segmentation.GetSegment(key)) for key in ids}
    return {key: value for key, value in values.items() if value is not None}


def _refuse_unknown_values(array: np.ndarray, known: set[int], node: slicer.vtkMRMLSegmentationNode) -> None:
    unknown = label_values(array) - known
    if unknown:
        raise LabelError(
            f"'{node.GetName()}' has no segment for the label values {sorted(unknown)}.",
            advice="Make a new segmentation from the result.",
        )


def _move_foreign_segments_aside(segmentation: slicer.vtkSegmentation, ours: set[str]) -> None:
    # A layer holds one segment a voxel: a foreign segment sharing ours would lose voxels to it or take them.
    for number in range(segmentation.GetNumberOfSegments()):
        key = segmentation.GetNthSegmentID(number)
        if key in ours:
            continue
        shared: list[str] = []
        segmentation.GetSegmentIDsSharingBinaryLabelmapRepresentation(key, shared, False)
        if any(other in ours for other in shared):
            segmentation.SeparateSegmentLabelmap(key)


def _layers(
    segmentation: slicer.vtkSegmentation, ours: dict[str, int]
) -> list[tuple[slicer.vtkOrientedImageData, dict[int, int]]]:
    """Our layers, each with the pairs (value in ``labels``, value in the layer)."""
    found: dict[int, tuple[slicer.vtkOrientedImageData, dict[int, int]]] = {}
    for key, value in ours.items():
        segment = segmentation.GetSegment(key)
        image = segment.GetRepresentation(BINARY_LABELMAP)
        found.setdefault(segmentation.GetLayerIndex(key), (image, {}))[1][value] = segment.GetLabelValue()
    return list(found.values())


def _write(image: slicer.vtkOrientedImageData, values: dict[int, int], array: np.ndarray, box: Box) -> bool:
    """Write ``array`` (the box's labels) into the layer at ``box`` (layer's index space); whether anything changed."""
    lookup = np.zeros(256, layer_voxels(image).dtype)
    for value, in_layer in values.items():
        lookup[value] = in_layer
    wanted = lookup[array]
    needed = Box.around(wanted)
    if needed is not None:
        grow_layer(image, needed.shift(box.start))
    covered = box_of(image)
    low = tuple(max(a, b) for a, b in zip(box.start, covered.start))
    high = tuple(min(a, b) for a, b in zip(box.stop, covered.stop))
    overlap = Box(low, high)
    if overlap.is_empty:
        return False
    present = layer_voxels(image)[overlap.shift(tuple(-start for start in covered.start)).slices]
    wanted = wanted[overlap.shift(tuple(-start for start in box.start)).slices]
    if np.array_equal(present, wanted):
        return False
    present[...] = wanted
    return True
