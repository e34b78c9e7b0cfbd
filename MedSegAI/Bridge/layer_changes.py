"""What a stroke of the brush changed: the boxes of a segmentation's layers that differ before and after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from MedSegAI.Bridge.geometry import box_of, matrix_array
from MedSegAI.Bridge.segment_layers import grow_layer, layer_voxels
from MedSegAI.Bridge.segment_surfaces import CLOSED_SURFACE
from MedSegAI.Bridge.segmentation_nodes import BINARY_LABELMAP
from MedSegAI.Logic.geometry import Box


@dataclass(frozen=True, eq=False)
class LayerChange:
    """One layer before and after, where it differs.

    Args:
        segment: ID of one of the segments in the layer.
        box: Where it differs: (k, j, i) in the layer's index space.
        before: The layer's voxels in the box.
        after: The same.
    """

    segment: str
    box: Box
    before: np.ndarray
    after: np.ndarray


def layer_changes(before: slicer.vtkSegmentation, after: slicer.vtkSegmentation) -> tuple[LayerChange, ...] | None:
    """What differs between two states of one segmentation; None where more than voxels does.

    More than voxels differs where segments came, went or moved to another layer, or a layer to another lattice.
    """
    if _structure(before) != _structure(after):
        return None
    changes = []
    for layer in range(before.GetNumberOfLayers()):
        segment = before.GetSegmentIDsForLayer(layer)[0]
        images = [state.GetSegment(segment).GetRepresentation(BINARY_LABELMAP) for state in (before, after)]
        if not np.array_equal(*(_lattice(image) for image in images)):
            return None
        whole = box_of(images[0]).union(box_of(images[1]))
        old, new = (_spread(image, whole) for image in images)
        differing = Box.around(old != new)
        if differing is not None:
            at = differing.slices
            changes.append(LayerChange(segment, differing.shift(whole.start), old[at].copy(), new[at].copy()))
    return tuple(changes)


def write_layers(segmentation: slicer.vtkSegmentation, changes: tuple[LayerChange, ...], *, undone: bool) -> None:
    """Give the segmentation's layers the voxels from before (``undone``) or after the changes.

    Observers hear of it once a layer. Closed surfaces are made again where there were some.
    """
    has_surfaces = segmentation.ContainsRepresentation(CLOSED_SURFACE)
    for change in changes:
        image = segmentation.GetSegment(change.segment).GetRepresentation(BINARY_LABELMAP)
        grow_layer(image, change.box)
        at = change.box.shift(tuple(-start for start in box_of(image).start))
        layer_voxels(image)[at.slices] = change.before if undone else change.after
        image.Modified()
    if has_surfaces:
        segmentation.CreateRepresentation(CLOSED_SURFACE, True)


def _structure(segmentation: slicer.vtkSegmentation) -> list[tuple[str, int, int]]:
    keys = [segmentation.GetNthSegmentID(number) for number in range(segmentation.GetNumberOfSegments())]
    return [(key, segmentation.GetLayerIndex(key), segmentation.GetSegment(key).GetLabelValue()) for key in keys]


def _lattice(image: slicer.vtkOrientedImageData) -> np.ndarray:
    matrix = vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return matrix_array(matrix)


def _spread(image: slicer.vtkOrientedImageData, box: Box) -> np.ndarray:
    """The layer's voxels in a box that covers it, background around them."""
    voxels, own = layer_voxels(image), box_of(image)
    if own == box or own.is_empty:
        return voxels if own == box else np.zeros(box.shape, voxels.dtype)
    spread = np.zeros(box.shape, voxels.dtype)
    spread[own.shift(tuple(-start for start in box.start)).slices] = voxels
    return spread
