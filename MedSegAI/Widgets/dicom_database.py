"""Scans that Slicer's own DICOM module loaded: where their files lie, and what these say of the scan."""

from __future__ import annotations

import os
from pathlib import Path

import slicer

from MedSegAI.Bridge.scan_attributes import (
    FRAME_ATTRIBUTE,
    SourceSeries,
    modality_of,
    say_kind,
    source_of,
    write_source,
)
from MedSegAI.Logic.volume import Modality

_INSTANCES = "DICOM.instanceUIDs"
_SERIES_TAG, _MODALITY_TAG, _FRAME_TAG = "0020,000E", "0008,0060", "0020,0052"


def note_source(node: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Let a scan say from which DICOM files it was read, its modality and its frame of reference.

    Results can then be exported into the study that the scan belongs to, and scans that were taken in one frame of
    reference are known to lie right. All of it comes from Slicer's DICOM database; a scan that says where its files are
    already, or did not come from that database, is left as it is.
    """
    database, instances = getattr(slicer, "dicomDatabase", None), (node.GetAttribute(_INSTANCES) or "").split()
    if database is None or not instances or source_of(node) is not None:
        return
    files = [path for path in (database.fileForInstance(uid) for uid in instances) if path]
    series = database.instanceValue(instances[0], _SERIES_TAG)
    if not files or not series:
        return
    write_source(node, SourceSeries(Path(os.path.commonpath([str(Path(path).parent) for path in files])), series))
    if node.GetAttribute(FRAME_ATTRIBUTE) is None:
        node.SetAttribute(FRAME_ATTRIBUTE, database.instanceValue(instances[0], _FRAME_TAG) or None)
    stated = database.instanceValue(instances[0], _MODALITY_TAG)
    if modality_of(node) is Modality.UNKNOWN and stated in {member.value for member in Modality}:
        say_kind(node, Modality(stated))
