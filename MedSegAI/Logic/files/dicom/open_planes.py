"""A DICOM series whose planes are decoded when they are asked for."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.choose import chosen_volume
from MedSegAI.Logic.files.dicom.find_series import frame_of_reference
from MedSegAI.Logic.files.dicom.pixels import stored_planes
from MedSegAI.Logic.files.dicom.read_series import acquisition_of, left_out_records, modality_of
from MedSegAI.Logic.files.dicom.rescale import fill_padding, rescaled, rescaled_type, unit_of
from MedSegAI.Logic.files.dicom.volumes import SeriesVolume
from MedSegAI.Logic.files.plane_source import PlaneSource
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.volume import Modality, Unit


def open_dicom_planes(
    path: str | os.PathLike[str],
    *,
    series: str | None = None,
    modality: Modality | None = None,
    reporter: Reporter | None = None,
) -> PlaneSource:
    """Open a DICOM series without reading its pixels; see ``read_volume`` for what it takes and refuses.

    The dtype is the one that holds every value the header allows, so it may be wider than that of ``read_volume``.

    Raises:
        InputError: as ``read_volume``; also for a tilted gantry, which has to be straightened as a whole.
    """
    source = Path(path).expanduser()
    volume = chosen_volume(source, series=series, reporter=reporter)
    if volume.stack.is_tilted:
        raise InputError(
            f"'{source}' was made with a gantry tilted by {volume.stack.tilt_degrees:.1f} degrees, and such a series "
            "cannot be read a few planes at a time.",
            advice="Read it as a whole, and write it as NRRD for the large scan.",
        )
    return DicomPlanes(volume, modality=modality, name=source.name)


class DicomPlanes:
    """The planes of one series; see :class:`~MedSegAI.Logic.files.plane_source.PlaneSource`."""

    def __init__(self, volume: SeriesVolume, *, modality: Modality | None, name: str) -> None:
        self._planes = volume.stack.planes
        self.grid = volume.stack.grid
        self.dtype = rescaled_type(self._planes)
        self.modality = modality or modality_of(self._planes[0])
        self.acquisition, stated = acquisition_of(volume.stack, self.modality)
        self.name = volume.description or name
        self.frame_of_reference = frame_of_reference(volume.files)
        self.steps = left_out_records(volume.notes)
        self.unit = stated or unit_of(self._planes, self._lowest_of_a_few(), self.modality)

    def planes(self, start: int, stop: int) -> np.ndarray:
        """The voxels (stop - start, j, i), rescaled; what a CT marks as outside its picture is set to air."""
        wanted = self._planes[start:stop]
        array = rescaled(stored_planes(wanted), wanted, dtype=self.dtype)
        if self.unit is Unit.HOUNSFIELD:
            fill_padding(array, wanted)
        return array

    def close(self) -> None:
        """Nothing is kept open between calls."""

    def _lowest_of_a_few(self) -> float:
        """The smallest value of the first, middle and last plane, enough to see whether a CT has air below zero."""
        if self.modality is not Modality.CT:
            return 0.0
        few = [self._planes[k] for k in sorted({0, len(self._planes) // 2, len(self._planes) - 1})]
        return float(rescaled(stored_planes(few), few, dtype=self.dtype).min())
