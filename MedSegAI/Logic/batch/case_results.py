"""The files that a case gets: segmentation, heat map, DICOM segmentation, and the record of how they came about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.Logic.batch.batch_settings import BatchSettings
from MedSegAI.Logic.batch.case import BatchCase
from MedSegAI.Logic.batch.case_record import RECORD_NAME, CaseRecord
from MedSegAI.Logic.batch.case_room import case_folder
from MedSegAI.Logic.errors import LabelError
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.files.slicer_segments import PROVENANCE_FIELD
from MedSegAI.Logic.files.write import write_segmentation, write_volume
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.report.volumes import SegmentVolume, segment_volumes
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.worker.warm_models import WarmModels

if TYPE_CHECKING:
    from MedSegAI.Logic.inference.result import SegmentationResult
    from MedSegAI.Logic.volume import Volume

SEGMENTATION = "segmentation"
HEAT_MAP = "heat map"
DICOM_SEGMENTATION = "DICOM segmentation"
RECORD = "record"
FILE_NAMES: Mapping[str, str] = {
    SEGMENTATION: "segmentation.seg.nrrd",
    HEAT_MAP: "heatmap.nrrd",
    DICOM_SEGMENTATION: "segmentation.dcm",
    RECORD: RECORD_NAME,
}
_DICOM_ROOM = "dicom"


@dataclass(frozen=True)
class Written:
    """What a case got: which files, and a sentence for each that it could not get."""

    what: tuple[str, ...]
    missing: tuple[str, ...]

    def files_of(self, case: str) -> dict[str, str]:
        """The files and the record that comes last, by what they hold; as paths seen from the batch's folder."""
        place = case_folder(Path(), case)
        return {what: (place / FILE_NAMES[what]).as_posix() for what in (*self.what, RECORD)}


def write_results(
    room: Path,
    result: SegmentationResult,
    *,
    case: BatchCase,
    settings: BatchSettings,
    scan: Volume,
    model: Model,
    models: WarmModels,
    reporter: Reporter,
) -> Written:
    """Write what the settings ask for into an empty folder.

    A label that this scan does not hold is no reason to lose the rest, and neither is a scan that did not come as
    DICOM: what is missing for such a reason is said.

    Args:
        room: Where the files go.
        result: The segmentation.
        case: Where the scan came from.
        settings: What is asked for.
        scan: The scan as it was segmented.
        model: The model.
        models: The warm model, for the heat map.
        reporter: Asked between windows whether to stop.

    Raises:
        StorageError: if something cannot be written.
        InputError: if the DICOM series lacks what a DICOM segmentation takes from it.
        Cancelled: if the reporter asked to stop.
    """
    what, missing = [SEGMENTATION], []
    write_segmentation(room / FILE_NAMES[SEGMENTATION], result.labels, result.table, result.provenance)
    if settings.heat_map_of is not None:
        wanted = {"target": settings.heat_map_of, "layer": None, "settings": settings.run}
        try:
            heat = models.explain(scan, result, model, reporter=reporter, **wanted)
            made_by = {PROVENANCE_FIELD: result.provenance.to_json()}
            write_volume(room / FILE_NAMES[HEAT_MAP], heat, metadata=made_by)
            what.append(HEAT_MAP)
        except LabelError as error:
            missing.append(f"No heat map: {error.problem}")
    if settings.dicom_segmentation:
        why_not = _why_no_dicom(case, result)
        if why_not:
            missing.append(f"No DICOM segmentation: {why_not}.")
        else:
            _write_dicom(room, case, result)
            what.append(DICOM_SEGMENTATION)
    return Written(tuple(what), tuple(missing))


def write_record(room: Path, record: CaseRecord, result: SegmentationResult, scan: Volume) -> None:
    """Write the case's record with the provenance of its segmentation and what was done to the scan before.

    Raises:
        StorageError: if it cannot be written.
    """
    plain = {
        **record.to_plain(),
        "steps": [step.to_plain() for step in scan.steps],
        "provenance": json.loads(result.provenance.to_json()),
    }
    with write_beside(room / FILE_NAMES[RECORD]) as beside:
        text = json.dumps(plain, ensure_ascii=False, indent=1) + "\n"
        beside.write_text(text, encoding="utf-8", errors="backslashreplace")


def read_record(batch: Path, case: str) -> CaseRecord | None:
    """The record in a case's folder; None where the case has no results that are whole."""
    try:
        plain = json.loads((case_folder(batch, case) / RECORD_NAME).read_text(encoding="utf-8"))
        return CaseRecord.from_plain({key: value for key, value in plain.items() if key not in ("steps", "provenance")})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def volumes_of(result: SegmentationResult) -> tuple[SegmentVolume, ...]:
    """The size of each structure that was looked for: a region on the left says nothing of the right side."""
    looked_for = {value for region in result.provenance.regions for _, value in region.labels}
    return tuple(entry for entry in segment_volumes(result.labels, result.table) if entry.value in looked_for)


def _why_no_dicom(case: BatchCase, result: SegmentationResult) -> str:
    if not case.is_dicom:
        return "the scan did not come as DICOM"
    return "nothing was found in the scan" if result.changed is None else ""


def _write_dicom(room: Path, case: BatchCase, result: SegmentationResult) -> None:
    from MedSegAI.Logic.files.dicom.export import DicomObject, export_case

    found = Segmentation(result.labels, result.table, result.provenance)
    wanted = {DicomObject.SEGMENTATION}
    (written,) = export_case(room / _DICOM_ROOM, found, source=case.source, series=case.series, objects=wanted)
    written.path.rename(room / FILE_NAMES[DICOM_SEGMENTATION])
    (room / _DICOM_ROOM).rmdir()
