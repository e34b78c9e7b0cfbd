"""Segments that come and go one at a time in a segmentation node, each with what was measured of it as a tag."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import slicer

from MedSegAI.Bridge.geometry import oriented_image
from MedSegAI.Bridge.segment_layers import world_layer
from MedSegAI.Bridge.segment_runs import BINARY_LABELMAP
from MedSegAI.Bridge.segment_surfaces import CLOSED_SURFACE
from MedSegAI.Bridge.segmentation_nodes import label_value_of, new_segment, tag_of
from MedSegAI.Logic.files.segment_tags import CONFIDENCE_TAG, tag_text, value_of_tag
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import Label
from MedSegAI.Logic.measure.nodule import NoduleMeasures
from MedSegAI.Logic.volume import Volume

NODULE_TAG = "MedSegAI.Nodule"
Stamp = tuple[int, int]


@dataclass(frozen=True)
class NoduleRecord:
    """What a segment that was pointed at carries beside its voxels.

    Args:
        measures: Its measures as they were when it was made, or measured last.
        cut: Whether a part of it may be missing.
    """

    measures: NoduleMeasures
    cut: bool


def empty_segmentation(reference: slicer.vtkMRMLScalarVolumeNode, *, name: str) -> slicer.vtkMRMLSegmentationNode:
    """A new segmentation node without segments, in the scene and the geometry of a scan's node."""
    scene = reference.GetScene()
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", scene.GenerateUniqueName(name))
    was_modifying = node.StartModify()
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(reference)
    node.EndModify(was_modifying)
    return node


def nodule_segment(
    label: Label, labels: Volume, grid: Grid, *, record: NoduleRecord, confidence: float | None
) -> slicer.vtkSegment:
    """A segment with a label map of its own, cropped to its voxels, that is in no node yet.

    Args:
        label: Its value, name, colour and codes.
        labels: uint8 label map (k, j, i), LPS mm, on a part of ``grid``; its lattice is that of ``grid``.
        grid: The scan's grid, whose indices the label map follows.
        record: What it carries.
        confidence: Mean probability of the label over its voxels, 0..1; None where it is not known.
    """
    box = Box.around(labels.array == label.value) or Box.empty()
    voxels = (labels.array[box.slices] == label.value).view(np.uint8)
    offset = np.round(grid.kji_of(labels.grid.lps_of(np.zeros(3)))).astype(int)
    segment = new_segment(label)
    segment.SetLabelValue(1)
    segment.AddRepresentation(BINARY_LABELMAP, oriented_image(voxels, grid, box=box.shift(tuple(offset))))
    write_record(segment, record)
    if confidence is not None:
        segment.SetTag(CONFIDENCE_TAG, f"{confidence:.4f}")
    return segment


def put_segment(node: slicer.vtkMRMLSegmentationNode, key: str, segment: slicer.vtkSegment) -> None:
    """Add a segment under this ID, in the order of label values; the others, and their layers, stay as they are."""
    segmentation = node.GetSegmentation()
    if segmentation.GetSegment(key) is None:
        # Only surfaces that fit its voxels may come along; the others' are made anew with it.
        segment.RemoveRepresentation(CLOSED_SURFACE)
        segmentation.AddSegment(segment, key)
        segmentation.SetSegmentIndex(key, _place_of(segmentation, segment))
    _draw_anew(node)


def take_segment(node: slicer.vtkMRMLSegmentationNode, key: str) -> slicer.vtkSegment | None:
    """Take a segment out and hand it over; None where there is none of this ID."""
    segmentation = node.GetSegmentation()
    segment = segmentation.GetSegment(key)
    if segment is None:
        return None
    # A brush may have let it share a label map with others, which would lose it when it leaves.
    segmentation.SeparateSegmentLabelmap(key)
    segmentation.RemoveSegment(key)
    _draw_anew(node)
    return segment


def write_record(segment: slicer.vtkSegment, record: NoduleRecord) -> None:
    """Keep a record as a tag of the segment, so that it survives in ``.mrb`` and ``.seg.nrrd``."""
    plain = {"measures": record.measures.to_plain(), "cut": record.cut}
    segment.SetTag(NODULE_TAG, tag_text(json.dumps(plain, separators=(",", ":"))))


def nodule_records(node: slicer.vtkMRMLSegmentationNode) -> Mapping[str, NoduleRecord]:
    """The records of the segments that have one, by segment ID, in Slicer's order."""
    segmentation, found = node.GetSegmentation(), {}
    for number in range(segmentation.GetNumberOfSegments()):
        record = _record_of(segmentation.GetNthSegment(number))
        if record is not None:
            found[segmentation.GetNthSegmentID(number)] = record
    return found


def voxel_stamps(node: slicer.vtkMRMLSegmentationNode) -> dict[str, Stamp]:
    """For each segment by its ID, what changes whenever its voxels may have changed."""
    segmentation, stamps = node.GetSegmentation(), {}
    for number in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(number)
        image = segment.GetRepresentation(BINARY_LABELMAP)
        stamps[segmentation.GetNthSegmentID(number)] = (
            0 if image is None else image.GetMTime(),
            segment.GetLabelValue(),
        )
    return stamps


def segment_labels(node: slicer.vtkMRMLSegmentationNode, label: Label, grid: Grid) -> Volume | None:
    """One segment as a label map (k, j, i) uint8 on the part of a grid that its own label map fills.

    Args:
        node: The segmentation.
        label: The segment: its key is the ID, and its value is what the map holds.
        grid: The grid in the world, LPS mm, usually the scan's.

    Returns:
        None where the segment is empty, or lies outside the grid.
    """
    segment = node.GetSegmentation().GetSegment(label.key)
    voxels, box = world_layer(node, segment.GetRepresentation(BINARY_LABELMAP), grid)
    if box.is_empty:
        return None
    array = np.where(voxels == segment.GetLabelValue(), label.value, 0).astype(np.uint8)
    return Volume(array, grid.crop(box), name=label.name)


def _place_of(segmentation: slicer.vtkSegmentation, segment: slicer.vtkSegment) -> int:
    """How many segments have a smaller label value."""
    value = label_value_of(segment) or 0
    others = (segmentation.GetNthSegment(number) for number in range(segmentation.GetNumberOfSegments()))
    return sum((label_value_of(other) or 0) < value for other in others)


def _record_of(segment: slicer.vtkSegment) -> NoduleRecord | None:
    text = tag_of(segment, NODULE_TAG)
    if not text:
        return None
    try:
        plain = json.loads(value_of_tag(text))
        return NoduleRecord(NoduleMeasures.from_plain(plain["measures"]), bool(plain["cut"]))
    except (ValueError, TypeError, KeyError):
        return None


def _draw_anew(node: slicer.vtkMRMLSegmentationNode) -> None:
    # Slice views draw a segmentation that no editor works on anew only when its display changes.
    if node.GetDisplayNode() is not None:
        node.GetDisplayNode().Modified()
