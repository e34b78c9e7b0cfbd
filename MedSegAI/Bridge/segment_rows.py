"""What a table of segments shows: name, colour, volume and confidence of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import slicer
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from MedSegAI.Bridge.geometry import matrix_array
from MedSegAI.Bridge.segment_runs import segment_runs
from MedSegAI.Bridge.segmentation_nodes import BINARY_LABELMAP, tag_of
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.segment_tags import CONFIDENCE_TAG


@dataclass(frozen=True)
class SegmentRow:
    """One segment.

    Args:
        key: Its ID.
        name: What the user reads.
        colour: RGB, each 0..1.
        volume_ml: Its volume in mL, in the world.
        voxels: How many voxels it has.
        confidence: Mean probability of the label over its voxels, 0..1; None where it is not known.
        visible: Whether views show it.
    """

    key: str
    name: str
    colour: tuple[float, float, float]
    volume_ml: float
    voxels: int
    confidence: float | None
    visible: bool


def segment_rows(node: slicer.vtkMRMLSegmentationNode) -> tuple[SegmentRow, ...]:
    """The segments of a node, in Slicer's order.

    Volumes follow a linear parent transform; one that bends is left out of account.
    """
    segmentation, display = node.GetSegmentation(), node.GetDisplayNode()
    stretch = _stretch(node)
    rows = []
    for key, runs in segment_runs(node).items():
        segment = segmentation.GetSegment(key)
        voxels = int((runs[:, 3] - runs[:, 2]).sum(dtype=np.int64))
        image = segment.GetRepresentation(BINARY_LABELMAP)
        voxel_ml = stretch * math.prod(image.GetSpacing()) / 1000 if image is not None else 0.0
        rows.append(
            SegmentRow(
                key=key,
                name=segment.GetName() or key,
                colour=tuple(float(part) for part in segment.GetColor()),
                volume_ml=voxels * voxel_ml,
                voxels=voxels,
                confidence=_confidence(segment),
                visible=display is not None and bool(display.GetVisibility() and display.GetSegmentVisibility(key)),
            )
        )
    return tuple(rows)


def write_confidence(node: slicer.vtkMRMLSegmentationNode, confidence: Mapping[str, float]) -> None:
    """Keep each segment's mean confidence as its tag, so that it survives in ``.mrb`` and ``.seg.nrrd``.

    Args:
        node: The segmentation.
        confidence: By segment ID, 0..1. A segment that is not named loses an older figure; an ID without segment is
            passed over.

    Raises:
        InputError: if a value is outside 0..1.
    """
    for key, value in confidence.items():
        if not 0.0 <= value <= 1.0:
            raise InputError(f"The confidence {value} of '{key}' is not usable.", advice="Give a value from 0 to 1.")
    segmentation = node.GetSegmentation()
    for number in range(segmentation.GetNumberOfSegments()):
        segment, value = segmentation.GetNthSegment(number), confidence.get(segmentation.GetNthSegmentID(number))
        if value is not None:
            segment.SetTag(CONFIDENCE_TAG, f"{value:.4f}")
        elif tag_of(segment, CONFIDENCE_TAG):
            segment.RemoveTag(CONFIDENCE_TAG)


def _confidence(segment: slicer.vtkSegment) -> float | None:
    try:
        value = float(tag_of(segment, CONFIDENCE_TAG))
    except ValueError:
        return None
    return value if 0.0 <= value <= 1.0 else None


def _stretch(node: slicer.vtkMRMLSegmentationNode) -> float:
    """By what factor the parent transforms change volumes."""
    parent = node.GetParentTransformNode()
    if parent is None or not parent.IsTransformToWorldLinear():
        return 1.0
    to_world = vtkMatrix4x4()
    parent.GetMatrixTransformToWorld(to_world)
    return abs(float(np.linalg.det(matrix_array(to_world)[:3, :3])))
