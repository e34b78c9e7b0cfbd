"""A result as DICOM objects that belong to the study of the scan it was made from, all of them or none."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.volume import Volume


class DicomObject(str, Enum):
    """What a result can be written as; the values are those of the command line."""

    SEGMENTATION = "seg"
    CONFIDENCE = "confidence"
    HEAT_MAP = "pm"
    REPORT = "sr"
    CONTOURS = "rtstruct"


class SegmentationKind(str, Enum):
    """How a DICOM segmentation stores its voxels.

    BINARY has one bit a voxel and segment, and is what most programs read; LABELMAP has one number a voxel (DICOM 2024
    and later).
    """

    BINARY = "binary"
    LABELMAP = "labelmap"


@dataclass(frozen=True)
class ExportedObject:
    """One DICOM file that was written.

    Args:
        kind: What it is.
        path: Where it lies.
        sop_class_uid: DICOM's number of its kind.
        series_uid: UID of its series.
        instance_uid: Its own UID.
    """

    kind: DicomObject
    path: Path
    sop_class_uid: str
    series_uid: str
    instance_uid: str


def export_case(
    folder: str | os.PathLike[str],
    segmentation: Segmentation,
    *,
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    series: str | None = None,
    objects: Collection[DicomObject] | None = None,
    kind: SegmentationKind = SegmentationKind.BINARY,
    heat_map: Volume | None = None,
    heat_label: str = "",
    confidence: Volume | None = None,
    creator: str = "",
    reporter: Reporter | None = None,
) -> tuple[ExportedObject, ...]:
    """Write a result as DICOM: segmentation, confidence, heat map, measurements, contours.

    All objects are in the study and the frame of reference of the series, each in a series of its own, and refer to its
    images; the report refers to the segmentation. The folder appears once all of them are written.

    Args:
        folder: New or empty; its parent must exist.
        segmentation: Labels uint8 (k, j, i) on the grid of the series, or on a part of it.
        source: The folder of the DICOM series that was segmented, or its files.
        series: Its UID or description, where the folder holds several.
        objects: What to write; None writes the segmentation, the report, and whatever else there is, contours excepted.
        kind: How the segmentation stores its voxels.
        heat_map: float (k, j, i), 0..1, on the grid of the series; ``DicomObject.HEAT_MAP`` needs it.
        heat_label: Key of the label that the heat map explains; may be empty.
        confidence: float (k, j, i), 0..1: probability of the label that won; ``DicomObject.CONFIDENCE`` needs it.
        creator: Who made the result, as content creator and observer; may be empty.
        reporter: Told of progress; asked between objects whether to stop.

    Returns:
        What was written, in this order.

    Raises:
        DependencyError: if the package highdicom is not installed.
        InputError: if something does not lie on the series' grid, the series lacks what an object takes from it, there
            is no voxel, or an object is asked for whose data are not given.
        LabelError: if the map holds a value without a name.
        StorageError: if the folder holds something, or cannot be written.
        Cancelled: if the reporter said so; nothing is left behind.
    """
    raise NotImplementedError
