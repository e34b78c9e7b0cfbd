"""Where each image plane of a DICOM file lies (PS3.3 C.7.6.2, and the functional groups of multi-frame images)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.headers import DicomFile

_AXES_NOT_PERPENDICULAR = 1e-3
_COLOURS = {"RGB", "PALETTE COLOR", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT", "HSV", "ARGB", "CMYK"}
_ORIGINAL = "Choose an original CT, MR or PET series rather than a picture made from one."


class NeverAVolumeError(InputError):
    """What was found is no slice of a scan at all: a colour picture, an X-ray, a report."""


@dataclass(frozen=True, eq=False)
class Plane:
    """One image plane.

    Args:
        file: The file that holds it.
        frame: Which of the file's frames it is, from 0.
        position: LPS mm (3,) of the centre of its first pixel.
        axes: 3 x 3; columns are the LPS unit vectors of i (along a row), j (down a column) and their normal.
        pixel_mm: Spacing along i and j.
        size: Pixels along i and j.
        rescale: Slope and intercept; None where the header has none.
        rescale_type: What the rescaled values are, such as "HU"; may be empty.
    """

    file: DicomFile
    frame: int
    position: np.ndarray
    axes: np.ndarray
    pixel_mm: tuple[float, float]
    size: tuple[int, int]
    rescale: tuple[float, float] | None
    rescale_type: str

    @property
    def label(self) -> str:
        """How a sentence names it: the file in quotes and, of several frames, which one (from 1)."""
        several = int(self.file.header.get("NumberOfFrames") or 1) > 1
        return f"'{self.file.path.name}'{f' (frame {self.frame + 1})' if several else ''}"


def planes_of(file: DicomFile) -> tuple[Plane, ...]:
    """The planes of one file, in stored order.

    Raises:
        NeverAVolumeError: for colour pictures, and files without pixels or without a place in the patient.
        InputError: where some frame does not say where it lies, or its values cannot be turned into numbers.
    """
    header = file.header
    _refuse_pictures(file)
    groups = header.get("PerFrameFunctionalGroupsSequence")
    count = int(header.get("NumberOfFrames") or 1)
    if not groups and count > 1:
        raise NeverAVolumeError(
            f"'{file.path.name}' does not say where each of its {count} frames lies in the patient.", advice=_ORIGINAL
        )
    if groups and len(groups) != count:
        raise InputError(
            f"'{file.path.name}' has {count} frames and says of {len(groups)} where they lie: it is damaged.",
            advice="Copy or export it again.",
        )
    try:
        return tuple(_plane(file, frame, frame_settings(file, frame)) for frame in range(count))
    except InputError:
        raise
    except Exception as error:  # whatever a damaged header makes the parser raise
        raise InputError(
            f"'{file.path.name}' does not say where its pixels lie in the patient.", advice=_ORIGINAL
        ) from error


def frame_settings(file: DicomFile, frame: int) -> Mapping[str, Any]:
    """All that the header says of one frame: its own functional groups, else those of all frames, else the header."""
    header = file.header
    groups = header.get("PerFrameFunctionalGroupsSequence")
    if not groups:
        return header
    settings: dict[str, Any] = {}
    for source in (*(header.get("SharedFunctionalGroupsSequence") or [])[:1], groups[frame]):
        for element in source:
            if element.VR == "SQ" and element.value:
                settings |= {item.keyword: item.value for item in element.value[0] if item.keyword}
    return settings


def _refuse_pictures(file: DicomFile) -> None:
    header = file.header
    if file.pixels_at < 0 or not header.get("Rows") or not header.get("Columns"):
        kind = str(header.get("Modality") or "an object without pixels")
        raise NeverAVolumeError(
            f"'{file.path.name}' is a DICOM file but not an image ({kind}).", advice="Choose the series of a scan."
        )
    colour = str(header.get("PhotometricInterpretation") or "").upper()
    if int(header.get("SamplesPerPixel") or 1) > 1 or colour in _COLOURS:
        raise NeverAVolumeError(
            f"'{file.path.name}' is a colour picture{f' ({colour})' if colour in _COLOURS else ''}.",
            advice="Choose the original greyscale series.",
        )
    if str(header.get("Modality")) == "SEG":
        raise NeverAVolumeError(
            f"'{file.path.name}' is a segmentation, not a scan.", advice="Choose the series of a scan."
        )
    if "ImagePositionPatient" not in header and "PerFrameFunctionalGroupsSequence" not in header:
        raise NeverAVolumeError(
            f"'{file.path.name}' is a picture without a place in the patient ({header.get('Modality') or 'unknown'}).",
            advice=_ORIGINAL,
        )
    if "MOSAIC" in str(header.get("ImageType") or ""):
        raise NeverAVolumeError(
            f"'{file.path.name}' is a mosaic: a whole volume as tiles of one picture.",
            advice="Convert the series with dcm2niix, or export it as enhanced MR.",
        )
    if header.get("ModalityLUTSequence"):
        raise InputError(
            f"'{file.path.name}' turns its values into units by a table (modality LUT), which is not supported.",
            advice="Export the series with a rescale slope and intercept.",
        )


def _plane(file: DicomFile, frame: int, settings: Mapping[str, Any]) -> Plane:
    rows, columns = np.asarray(_value(settings, "ImageOrientationPatient"), dtype=float).reshape(2, 3)
    position = np.asarray(_value(settings, "ImagePositionPatient"), dtype=float).reshape(3)
    down, right = (float(value) for value in _value(settings, "PixelSpacing"))
    _refuse_impossible(file, rows, columns)
    slope, intercept = settings.get("RescaleSlope"), settings.get("RescaleIntercept")
    return Plane(
        file,
        frame,
        position,
        np.column_stack([rows, columns, np.cross(rows, columns)]),
        (right, down),
        (int(file.header.Columns), int(file.header.Rows)),
        None if slope is None or intercept is None else (float(slope), float(intercept)),
        str(settings.get("RescaleType") or ""),
    )


def _value(settings: Mapping[str, Any], keyword: str) -> Any:
    value = settings.get(keyword)
    if value is None or value == "":
        raise KeyError(keyword)
    return value


def _refuse_impossible(file: DicomFile, rows: np.ndarray, columns: np.ndarray) -> None:
    lengths = abs(np.linalg.norm(rows) - 1), abs(np.linalg.norm(columns) - 1), abs(float(rows @ columns))
    if not max(lengths) <= _AXES_NOT_PERPENDICULAR:
        raise InputError(
            f"The rows and columns of '{file.path.name}' are not perpendicular unit vectors: its header is damaged.",
            advice="Export the series again.",
        )
