"""What a volume node says of its scan beside the voxels: attributes, which a saved scene keeps."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

MODALITY_ATTRIBUTE = "MedSegAI.Modality"
UNIT_ATTRIBUTE = "MedSegAI.Unit"
FRAME_ATTRIBUTE = "MedSegAI.FrameOfReference"
STEPS_ATTRIBUTE = "MedSegAI.Steps"
ACQUISITION_ATTRIBUTE = "MedSegAI.Acquisition"
HEATMAP_ATTRIBUTE = "MedSegAI.HeatMap"
EXTRA_ATTRIBUTE = "MedSegAI.Extra"
"""On what a step of preparation found beside the scan; its value is the name, such as "bias field"."""
_FOLDER_ATTRIBUTE = "MedSegAI.SourceFolder"
_SERIES_ATTRIBUTE = "MedSegAI.SourceSeries"

_log = logging.getLogger(__name__)

# How Slicer's DICOM reader marks a CT (UCUM code for Hounsfield units).
_UCUM_HOUNSFIELD = "[hnsf'U]"


@dataclass(frozen=True)
class SourceSeries:
    """The DICOM files that a scan was read from.

    Args:
        folder: Where the files lie, sub-folders included.
        uid: Series Instance UID; other series in the folder are not meant.
    """

    folder: Path
    uid: str


def write_attributes(node: slicer.vtkMRMLVolumeNode, volume: Volume) -> None:
    """Let the node say what the volume says of itself; what is not known is not said."""
    node.SetAttribute(MODALITY_ATTRIBUTE, volume.modality.value)
    node.SetAttribute(UNIT_ATTRIBUTE, volume.unit.value)
    node.SetAttribute(FRAME_ATTRIBUTE, volume.frame_of_reference or None)
    steps = [record.to_plain() for record in volume.steps]
    node.SetAttribute(STEPS_ATTRIBUTE, _as_json(steps) if steps else None)
    node.SetAttribute(ACQUISITION_ATTRIBUTE, _as_json(dict(volume.acquisition)) if volume.acquisition else None)


def modality_of(node: slicer.vtkMRMLVolumeNode) -> Modality:
    """What was measured, as far as the node says."""
    stated = node.GetAttribute(MODALITY_ATTRIBUTE)
    if stated in {member.value for member in Modality}:
        return Modality(stated)
    return Modality.CT if _is_hounsfield(node) else Modality.UNKNOWN


def unit_of(node: slicer.vtkMRMLVolumeNode) -> Unit:
    """Unit of the voxels, as far as the node says."""
    stated = node.GetAttribute(UNIT_ATTRIBUTE)
    if stated in {member.value for member in Unit}:
        return Unit(stated)
    return Unit.HOUNSFIELD if _is_hounsfield(node) else Unit.ARBITRARY


def say_kind(node: slicer.vtkMRMLVolumeNode, modality: Modality, *, unit: Unit | None = None) -> tuple[Modality, Unit]:
    """Let the node say what kind of scan it is, and return what it said before.

    Args:
        node: A volume node with voxels.
        modality: What was measured.
        unit: Of the voxels. None takes a CT with values below zero, as any with air has them, for one in Hounsfield
            units, and leaves everything else as it is.
    """
    before = modality_of(node), unit_of(node)
    if unit is None:
        is_hounsfield = modality is Modality.CT and node.GetImageData().GetScalarRange()[0] < 0
        unit = Unit.HOUNSFIELD if is_hounsfield else before[1]
        if unit is Unit.HOUNSFIELD and modality is not Modality.CT:
            unit = Unit.ARBITRARY
    was_modifying = node.StartModify()
    node.SetAttribute(MODALITY_ATTRIBUTE, modality.value)
    node.SetAttribute(UNIT_ATTRIBUTE, unit.value)
    node.EndModify(was_modifying)
    return before


def frame_of_reference_of(node: slicer.vtkMRMLVolumeNode) -> str:
    """Frame of Reference UID of the place where the scan lies in the world; empty where it is not known.

    Who moves a scan takes it out of its frame of reference. A transform that an alignment made says in which frame it
    puts what lies under it.
    """
    parent = node.GetParentTransformNode()
    return (node if parent is None else parent).GetAttribute(FRAME_ATTRIBUTE) or ""


def steps_of(node: slicer.vtkMRMLVolumeNode) -> tuple[StepRecord, ...]:
    """What was done to the scan, in this order; none where the node's record of it cannot be read."""
    text = node.GetAttribute(STEPS_ATTRIBUTE)
    try:
        return tuple(StepRecord.from_plain(plain) for plain in json.loads(text)) if text else ()
    except (ValueError, TypeError, KeyError):
        _log.warning("What was done to '%s' is not recorded in a way that can be read.", node.GetName())
        return ()


def acquisition_of(node: slicer.vtkMRMLVolumeNode) -> dict[str, Any]:
    """What is known of how the scan was acquired, see :class:`Volume`; empty where the node's record is broken."""
    text = node.GetAttribute(ACQUISITION_ATTRIBUTE)
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        _log.warning("How '%s' was acquired is not recorded in a way that can be read.", node.GetName())
        return {}
    return found


def write_source(node: slicer.vtkMRMLVolumeNode, source: SourceSeries | None) -> None:
    """Let the node say which DICOM files its scan was read from."""
    node.SetAttribute(_FOLDER_ATTRIBUTE, None if source is None else str(source.folder))
    node.SetAttribute(_SERIES_ATTRIBUTE, None if source is None else source.uid)


def source_of(node: slicer.vtkMRMLVolumeNode) -> SourceSeries | None:
    """The DICOM files that the scan was read from, which need no longer be there; None where there were none."""
    folder, uid = node.GetAttribute(_FOLDER_ATTRIBUTE), node.GetAttribute(_SERIES_ATTRIBUTE)
    return SourceSeries(Path(folder), uid) if folder and uid else None


def is_scan(node: slicer.vtkMRMLVolumeNode) -> bool:
    """Whether a volume node can be taken for a scan: it is no heat map, no label map and no extra of a step."""
    is_made = any(node.GetAttribute(mark) is not None for mark in (HEATMAP_ATTRIBUTE, EXTRA_ATTRIBUTE))
    return not is_made and not node.IsA("vtkMRMLLabelMapVolumeNode")


def _as_json(values: object) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _is_hounsfield(node: slicer.vtkMRMLVolumeNode) -> bool:
    units = node.GetVoxelValueUnits()
    return units is not None and units.GetCodeValue() == _UCUM_HOUNSFIELD
