"""What a scan says of itself beside its voxels, as fields of an NRRD header: kind, unit, and what was done to it.

NIfTI and MetaImage have no place for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

MODALITY_FIELD = "MedSegAI_Modality"
UNIT_FIELD = "MedSegAI_Unit"
STEPS_FIELD = "MedSegAI_Steps"


def scan_fields(volume: Volume) -> dict[str, str]:
    """The fields for a scan; what is not known is not said, and a scan that nothing was done to has no steps.

    What the DICOM header said of the acquisition is not among them: it holds dates, which would leave with the file.
    """
    fields = {}
    if volume.modality is not Modality.UNKNOWN:
        fields[MODALITY_FIELD] = volume.modality.value
    if volume.unit is not Unit.ARBITRARY:
        fields[UNIT_FIELD] = volume.unit.value
    if volume.steps:
        steps = [record.to_plain() for record in volume.steps]
        fields[STEPS_FIELD] = json.dumps(steps, separators=(",", ":"))
    return fields


def with_scan_fields(volume: Volume, fields: Mapping[str, str]) -> Volume:
    """The volume as its file's fields describe it; a field that is not there, or not of this form, changes nothing."""
    known = {}
    for name, field, values in (("modality", MODALITY_FIELD, Modality), ("unit", UNIT_FIELD, Unit)):
        if fields.get(field) in {member.value for member in values}:
            known[name] = values(fields[field])
    with suppress(KeyError, TypeError, ValueError):
        known["steps"] = tuple(StepRecord.from_plain(record) for record in json.loads(fields[STEPS_FIELD]))
    return replace(volume, **known)
