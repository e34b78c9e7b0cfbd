"""One volume from the DICOM images of one series.

What lies where is read from the headers (``headers.py``, ``planes.py``), sorted into volumes (``volumes.py``) and put
in order (``stack.py``), so that a missing slice, a copy, a tilted gantry or a second time point is noticed; then the
pixels are decoded (``pixels.py``), rescaled (``rescale.py``) and, where needed, straightened (``straighten.py``).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.files.dicom.choose import chosen_volume, found_volume
from MedSegAI.Logic.files.dicom.find_series import frame_of_reference
from MedSegAI.Logic.files.dicom.found_series import FoundSeries
from MedSegAI.Logic.files.dicom.patient_mark import patient_mark
from MedSegAI.Logic.files.dicom.pixels import stored_planes, stored_type
from MedSegAI.Logic.files.dicom.planes import Plane
from MedSegAI.Logic.files.dicom.rescale import AIR_HU, fill_padding, rescaled, rescaled_type, tight_type, unit_of
from MedSegAI.Logic.files.dicom.stack import Stack
from MedSegAI.Logic.files.dicom.straighten import straight_grid, straighten, straightening_record
from MedSegAI.Logic.files.dicom.unpack import is_zip, unpack_zip
from MedSegAI.Logic.files.dicom.volumes import SeriesVolume
from MedSegAI.Logic.files.private_folder import private_folder
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

_log = logging.getLogger(__name__)
_PLANES_AT_A_TIME = 16
LEFT_OUT = "leave-out-images"
FILLED = "fill-padding"


def read_dicom(
    source: Path,
    *,
    modality: Modality | None = None,
    series: str | None = None,
    shown_as: str = "",
    reporter: Reporter | None = None,
) -> Volume:
    """The scan in a DICOM folder, or of the series one DICOM file belongs to; see ``read_volume``.

    A sentence calls the source ``shown_as`` where that is given, as for a zip that was unpacked.
    """
    volume = chosen_volume(source, series=series, shown_as=shown_as, reporter=reporter)
    return _read(volume, source.name, modality, reporter)


def read_found_series(
    found: FoundSeries, *, modality: Modality | None = None, reporter: Reporter | None = None
) -> Volume:
    """The scan of a series that ``find_series`` found, from its own files only.

    Raises:
        InputError: as ``read_volume``; for a series with a problem, the problem.
        Cancelled: if the reporter asked to stop.
    """
    first = found.files[0]
    if is_zip(first):
        with private_folder() as room:
            folder = unpack_zip(first, room / "unpacked", reporter=reporter)
            return read_dicom(folder, modality=modality, series=found.uid, shown_as=str(first), reporter=reporter)
    return _read(found_volume(found, reporter=reporter), first.parent.name, modality, reporter)


def modality_of(plane: Plane) -> Modality:
    """What was measured, as the header says; ``Modality.UNKNOWN`` for kinds that nothing here knows."""
    try:
        return Modality(str(plane.file.header.get("Modality")))
    except ValueError:
        return Modality.UNKNOWN


def acquisition_of(stack: Stack, modality: Modality) -> tuple[Mapping[str, Any], Unit | None]:
    """Whose scan it is, what SUV needs of a PET series, and the unit its header states."""
    patient = patient_mark(stack.planes[0].file.header)
    if modality is not Modality.PET:
        return patient, None
    from MedSegAI.Logic.files.dicom.pet_parameters import pet_acquisition, pet_unit

    places = [(plane.file.path, plane.frame, plane.position) for plane in stack.planes]
    acquisition = pet_acquisition(places, stack.planes[0].axes[:, 2])
    return {**acquisition, **patient}, pet_unit(acquisition)


def left_out_records(notes: Sequence[str]) -> tuple[StepRecord, ...]:
    """What was noticed while the files were put in order, as records of the volume."""
    return tuple(StepRecord(LEFT_OUT, note) for note in notes)


def padding_record(count: int) -> StepRecord:
    """What was done to the voxels outside the picture, as a record of the volume."""
    return StepRecord(
        FILLED,
        f"{count} voxels that the scanner marks as outside its picture were set to air ({AIR_HU} HU).",
        {"value_hu": AIR_HU},
        {"voxels": count},
    )


def _read(volume: SeriesVolume, name: str, modality: Modality | None, reporter: Reporter | None) -> Volume:
    stack = volume.stack
    array = _measured(stack, reporter or SilentReporter())
    kind = modality or modality_of(stack.planes[0])
    acquisition, stated = acquisition_of(stack, kind)
    unit = stated or unit_of(stack.planes, float(array.min()), kind)
    steps = left_out_records(volume.notes)
    if unit is Unit.HOUNSFIELD and (filled := fill_padding(array, stack.planes)):
        steps = (*steps, padding_record(filled))
    grid = stack.grid
    if stack.is_tilted:
        outside = AIR_HU if unit is Unit.HOUNSFIELD else float(array.min())
        array, grid = straighten(array, stack, outside=outside), straight_grid(stack)
        steps = (*steps, straightening_record(stack))
    for step in steps:
        _log.warning(step.sentence)
    return Volume(
        array,
        grid,
        kind,
        unit,
        volume.description or name,
        frame_of_reference=frame_of_reference(volume.files),
        steps=steps,
        acquisition=acquisition,
    )


def _measured(stack: Stack, reporter: Reporter) -> np.ndarray:
    planes = stack.planes
    stored = np.empty(stack.grid.shape, stored_type(planes))
    for start in range(0, len(planes), _PLANES_AT_A_TIME):
        raise_if_cancelled(reporter)
        reporter.progress(start, len(planes), "reading slices")
        stop = start + _PLANES_AT_A_TIME
        stored_planes(planes[start:stop], out=stored[start:stop])
    reporter.progress(len(planes), len(planes), "reading slices")
    return rescaled(stored, planes, dtype=tight_type(stored, planes, rescaled_type(planes)))
