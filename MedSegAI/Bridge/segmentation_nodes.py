"""Segmentations: label maps with names, colours, SNOMED codes and provenance to and from segmentation nodes."""

from __future__ import annotations

import logging

import numpy as np
import slicer
from vtkmodules.vtkCommonCore import reference as vtk_reference

from MedSegAI.Bridge.geometry import oriented_image
from MedSegAI.Bridge.segment_layers import empty_layer, reference_grid, world_layer
from MedSegAI.Bridge.segment_runs import BINARY_LABELMAP
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.files.segment_tags import (
    LABEL_VALUE_TAG,
    PROVENANCE_TAG,
    TERMINOLOGY_TAG,
    tag_text,
    terminology_of_text,
    terminology_text,
    value_of_tag,
)
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.label_counts import refuse_unnamed
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.volume import Volume

_log = logging.getLogger(__name__)


def segmentation_to_node(
    labels: Volume,
    table: LabelTable,
    scene: slicer.vtkMRMLScene,
    *,
    reference: slicer.vtkMRMLScalarVolumeNode | None = None,
    provenance: Provenance | None = None,
    name: str | None = None,
    box: Box | None = None,
) -> slicer.vtkMRMLSegmentationNode:
    """Show a label map in the scene as a new segmentation node, one segment a label.

    All segments share one label map, cropped to what is segmented and copied: edits in Slicer leave ``labels`` alone.
    The segment's ID is the label's key, so it stays the same over runs, saves and renaming.

    Args:
        labels: uint8 (k, j, i); every value but 0 must be in ``table``. LPS mm.
        table: Its labels; one without voxels becomes an empty segment.
        scene: The scene to add to.
        reference: The scan's node, whose geometry later edits follow; without it the grid of ``labels``.
        provenance: How the result came about; kept on the node and on each segment, so that it survives in the
            scene, in ``.mrb`` and in ``.seg.nrrd``.
        name: Name of the node; the volume's where None.
        box: Voxels (k, j, i) outside which the caller knows all to be background (an empty box: everywhere), so that
            they are not looked at again; None looks at all.

    Raises:
        LabelError: if the array holds a value that the table does not name.
    """
    node = unplaced_segmentation(labels, table, provenance=provenance, box=box)
    return place_segmentation(node, scene, grid=labels.grid, reference=reference, name=name or labels.name)


def unplaced_segmentation(
    labels: Volume, table: LabelTable, *, provenance: Provenance | None = None, box: Box | None = None
) -> slicer.vtkMRMLSegmentationNode:
    """The node that :func:`segmentation_to_node` adds, which is in no scene yet; for :func:`place_segmentation`.

    Nobody sees it, so what else belongs to it can be made ready in the meantime. Arguments and errors are the same.
    """
    searched = (box or Box.whole(labels.grid.shape)).clip(labels.grid.shape)
    refuse_unnamed(labels.array[searched.slices], table)
    node = slicer.vtkMRMLSegmentationNode()
    layer = _layer(labels, searched)
    for label in table:
        segment = new_segment(label)
        segment.AddRepresentation(BINARY_LABELMAP, layer)
        node.GetSegmentation().AddSegment(segment, label.key)
    if provenance is not None:
        write_provenance(node, provenance)
    return node


def place_segmentation(
    node: slicer.vtkMRMLSegmentationNode,
    scene: slicer.vtkMRMLScene,
    *,
    grid: Grid,
    reference: slicer.vtkMRMLScalarVolumeNode | None = None,
    name: str,
) -> slicer.vtkMRMLSegmentationNode:
    """Add a node of :func:`unplaced_segmentation` to the scene, to be shown.

    Args:
        node: The node.
        scene: The scene to add to.
        grid: The grid of its labels, LPS mm.
        reference: The scan's node, whose geometry later edits follow; without it ``grid``.
        name: Name of the node.
    """
    node.SetName(scene.GenerateUniqueName(name))
    node = scene.AddNode(node)
    was_modifying = node.StartModify()
    node.CreateDefaultDisplayNodes()
    _set_reference(node, grid, reference)
    node.EndModify(was_modifying)
    return node


def node_to_segmentation(
    node: slicer.vtkMRMLSegmentationNode, *, grid: Grid | None = None
) -> tuple[Volume, LabelTable]:
    """Read all segments as one label map in the world, its parent transforms applied.

    Where segments overlap, the later one in Slicer's list wins. A label keeps the value it was made with; segments
    the user added get the next free values.

    Args:
        node: The segmentation; segments drawn as surfaces are turned into voxels.
        grid: The grid to fill, LPS mm (usually the scan's); None takes the node's reference geometry.

    Returns:
        uint8 labels (k, j, i) and their table. On another lattice than the segments' own, the nearest voxel counts.

    Raises:
        InputError: if there is no segment, or no grid to read on.
        LabelError: for more than 255 segments.
    """
    segmentation = node.GetSegmentation()
    if segmentation is None or segmentation.GetNumberOfSegments() == 0:
        raise InputError(f"'{node.GetName()}' has no segments.", advice="Choose another segmentation.")
    if not segmentation.CreateRepresentation(BINARY_LABELMAP):
        raise InputError(
            f"'{node.GetName()}' cannot be turned into voxels.", advice="Set its reference geometry to the scan's."
        )
    table = table_of(node)
    grid = grid or reference_grid(node)
    array = np.zeros(grid.shape, np.uint8)
    layers: dict[int, tuple[np.ndarray, Box]] = {}
    values = {label.key: label.value for label in table}
    for number in range(segmentation.GetNumberOfSegments()):
        key, segment = segmentation.GetNthSegmentID(number), segmentation.GetNthSegment(number)
        layer = segmentation.GetLayerIndex(key)
        if layer not in layers:
            layers[layer] = world_layer(node, segment.GetRepresentation(BINARY_LABELMAP), grid)
        voxels, box = layers[layer]
        array[box.slices][voxels == segment.GetLabelValue()] = values[key]
    return Volume(array, grid, name=node.GetName() or "segmentation"), table


def table_of(node: slicer.vtkMRMLSegmentationNode) -> LabelTable:
    """The segments of a node as labels, keyed by segment ID, in the values they were made with where free.

    Raises:
        LabelError: for more than 255 segments.
    """
    segmentation = node.GetSegmentation()
    ids = [segmentation.GetNthSegmentID(n) for n in range(segmentation.GetNumberOfSegments())]
    if len(ids) > 255:
        raise LabelError(f"'{node.GetName()}' has {len(ids)} segments; 255 is the most.", advice="Remove some.")
    stated = {key: label_value_of(segmentation.GetSegment(key)) for key in ids}
    taken = {value for value in stated.values() if value}
    spare = iter(value for value in range(1, 256) if value not in taken)
    used: set[int] = set()
    labels = []
    for key in ids:
        value = stated[key]
        if value is None or value in used:
            value = next(spare)
        used.add(value)
        segment = segmentation.GetSegment(key)
        colour = tuple(float(part) for part in segment.GetColor())
        labels.append(
            Label(value, key, segment.GetName(), colour, terminology_of_text(tag_of(segment, TERMINOLOGY_TAG)))
        )
    return LabelTable(tuple(labels))


def label_value_of(segment: slicer.vtkSegment) -> int | None:
    """The label value a segment was made with, None for one that the user added."""
    text = tag_of(segment, LABEL_VALUE_TAG)
    return int(text) if text.isdigit() and 1 <= int(text) <= 255 else None


def tag_of(segment: slicer.vtkSegment, name: str) -> str:
    """The value of a segment's tag; empty where it has no such tag."""
    value = vtk_reference("")
    return str(value) if segment.GetTag(name, value) else ""


def new_segment(label: Label) -> slicer.vtkSegment:
    """A segment without voxels, with the name, colour, value and codes of a label; it is in no node yet."""
    segment = slicer.vtkSegment()
    segment.SetName(label.name)
    segment.SetNameAutoGenerated(False)
    segment.SetColor(*label.colour)
    segment.SetColorAutoGenerated(False)
    segment.SetLabelValue(label.value)
    segment.SetTag(LABEL_VALUE_TAG, str(label.value))
    if label.terminology is not None:
        segment.SetTag(TERMINOLOGY_TAG, terminology_text(label.terminology))
    return segment


def write_provenance(node: slicer.vtkMRMLSegmentationNode, provenance: Provenance) -> None:
    """Keep ``provenance`` on the node (for the scene and ``.mrb``) and on each segment (for ``.seg.nrrd``)."""
    text = provenance.to_json()
    node.SetAttribute(PROVENANCE_TAG, text)
    segmentation = node.GetSegmentation()
    for number in range(segmentation.GetNumberOfSegments()):
        segmentation.GetNthSegment(number).SetTag(PROVENANCE_TAG, tag_text(text))


def read_provenance(node: slicer.vtkMRMLSegmentationNode) -> Provenance | None:
    """The provenance a node or its first segment that has one carries; None where there is none or it is unreadable."""
    segmentation = node.GetSegmentation()
    tags = (tag_of(segmentation.GetNthSegment(n), PROVENANCE_TAG) for n in range(segmentation.GetNumberOfSegments()))
    texts = [node.GetAttribute(PROVENANCE_TAG), *(value_of_tag(tag) for tag in tags if tag)]
    for text in filter(None, texts):
        try:
            return Provenance.from_json(text)
        except (ValueError, TypeError, KeyError):
            _log.warning("The provenance of '%s' could not be read.", node.GetName())
    return None


def _layer(labels: Volume, searched: Box) -> slicer.vtkOrientedImageData:
    """The label map of all segments, cropped to what is segmented inside ``searched``."""
    found = Box.around(labels.array[searched.slices])
    if found is None:
        return empty_layer(labels.grid)
    box = found.shift(searched.start)
    return oriented_image(labels.array[box.slices], labels.grid, box=box)


def _set_reference(
    node: slicer.vtkMRMLSegmentationNode, grid: Grid, reference: slicer.vtkMRMLScalarVolumeNode | None
) -> None:
    if reference is not None:
        node.SetReferenceImageGeometryParameterFromVolumeNode(reference)
        return
    geometry = slicer.vtkSegmentationConverter.SerializeImageGeometry(empty_layer(grid, whole_extent=True))
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    node.GetSegmentation().SetConversionParameter(name, geometry)
