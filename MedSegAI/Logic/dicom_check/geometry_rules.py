"""Whether the images of a series make a volume, and what is not perfect about it."""

from __future__ import annotations

from collections.abc import Iterator

from MedSegAI.Logic.dicom_check.finding import Finding, Weight
from MedSegAI.Logic.dicom_check.under_check import SeriesUnderCheck, of_files
from MedSegAI.Logic.files.dicom.pixels import missing_bytes, stored_planes
from MedSegAI.Logic.files.dicom.straighten import straightening_record

_GAP_FACTOR = 1.05
_FEW_SLICES = 8
_THICK_FACTOR = 8.0


def geometry_findings(series: SeriesUnderCheck) -> Iterator[Finding]:
    """What keeps the images from being a volume, and what was left out, straightened or evened to make them one."""
    volume = series.volume
    if volume.error is not None:
        yield Finding(
            "volume",
            "It is not a volume" if volume.is_scan else "It is no scan",
            volume.error.problem,
            volume.error.advice,
            Weight.ERROR if volume.is_scan else Weight.NOTE,
            hinders=volume.is_scan,
            count=len(volume.files),
        )
    for note in volume.notes:
        yield Finding(
            "volume", "Images were left out or evened", note, "Check that this is what you expect.", Weight.WARNING
        )
    if volume.stack is None:
        return
    if volume.stack.is_tilted:
        yield Finding(
            "gantry-tilt",
            "The gantry was tilted",
            straightening_record(volume.stack).sentence,
            "Nothing: it is done while reading. Results cannot refer to the tilted slices, so they are not written as "
            "DICOM.",
            Weight.NOTE,
        )
    yield from _slice_findings(series)


def pixel_findings(series: SeriesUnderCheck) -> Iterator[Finding]:
    """Pixels that are cut short or cannot be decoded; of compressed files, the first, middle and last are decoded."""
    short = [file.path for file in series.volume.files if file.pixels_at >= 0 and missing_bytes(file)]
    if short:
        yield of_files(
            short,
            rule="pixels",
            title="Pixels are cut short",
            meaning="The files end before their last pixel, as after a copy that was broken off.",
            advice="Copy or export the series again.",
            weight=Weight.ERROR,
            hinders=True,
        )
    if short or series.volume.stack is None:
        return
    planes = series.volume.stack.planes
    for k in sorted({0, len(planes) // 2, len(planes) - 1}):
        try:
            stored_planes([planes[k]])
        except Exception as error:  # a broken file may break a decoder in any way
            yield of_files(
                [planes[k].file.path],
                rule="pixels",
                title="Pixels cannot be decoded",
                meaning=str(getattr(error, "problem", error)),
                advice="Export the series again, uncompressed.",
                weight=Weight.ERROR,
                hinders=True,
            )


def _slice_findings(series: SeriesUnderCheck) -> Iterator[Finding]:
    grid = series.volume.stack.grid
    thickness = _number(series.headers[0][1].get("SliceThickness"))
    step = grid.spacing[2]
    if thickness and step > _GAP_FACTOR * thickness:
        yield Finding(
            "slice-gap",
            "There are gaps between the slices",
            f"Slices are {thickness:g} mm thick and lie {step:.3g} mm apart: what lies between them was not measured.",
            "Volumes are counted as if each slice filled its step; a thin structure may be missed.",
            Weight.NOTE,
        )
    if grid.shape[0] < _FEW_SLICES or step > _THICK_FACTOR * min(grid.spacing[:2]):
        yield Finding(
            "coarse",
            "It is coarse along the slices",
            f"There are {grid.shape[0]} slices, {step:.3g} mm apart, with pixels of {min(grid.spacing[:2]):.3g} mm.",
            "Choose the reconstruction with the thinnest slices, where there is one.",
            Weight.NOTE,
        )
    if "" in series.values("PatientPosition"):
        yield of_files(
            series.where(lambda header: not header.get("PatientPosition")),
            rule="patient-position",
            title="The patient's position is not said",
            meaning="Whether the patient lay on the back, head first, is missing. Where the voxels lie is said by the "
            "image orientation, which is there.",
            advice="Look at one slice: left must be left.",
            weight=Weight.NOTE,
        )


def _number(value: object) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
