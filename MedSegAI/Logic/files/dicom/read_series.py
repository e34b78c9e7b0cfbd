"""One volume from the DICOM images of one series.

Positions and orientations are read here (DICOM PS3.3 C.7.6.2, and the functional groups of multi-frame images), so
that a missing slice, a tilted gantry or two series are noticed; the pixels come from SimpleITK's GDCM reader, which
decodes every transfer syntax and applies the rescale slope and intercept.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import DependencyError, InputError
from MedSegAI.Logic.files.itk_quirks import itk_made_quiet
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Modality, Unit, Volume

_TAGS = [
    "SOPClassUID", "SeriesInstanceUID", "SeriesDescription", "SeriesNumber", "Modality", "Rows", "Columns",
    "NumberOfFrames", "SamplesPerPixel", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
    "RescaleSlope", "RescaleIntercept", "RescaleType", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]  # fmt: skip
_NOT_SCANS = {"SEG", "SR", "RTSTRUCT", "RTDOSE", "RTPLAN", "PR", "KO", "RWV", "REG", "DOC"}
_UNEVEN = 0.25
_SAME_PLACE_MM = 1e-2
_TILT_MM_PER_SLICE = 0.05
_CONVERT = "Convert the series with a tool that can straighten it (such as dcm2niix) and use the result."


@dataclass(frozen=True)
class _Slice:
    """One image plane: where it lies (LPS mm), its pixel spacing (along i, j) and how its values are rescaled."""

    path: Path
    frame: int
    position: np.ndarray
    axes: np.ndarray
    pixel_mm: tuple[float, float]
    size: tuple[int, int]
    rescale: tuple[float, float] | None
    rescale_type: str


def read_dicom(source: Path, *, modality: Modality | None, series: str | None) -> Volume:
    """The scan in a DICOM folder, or of the series one DICOM file belongs to; see ``read_volume``."""
    headers = _headers_by_series(source.rglob("*") if source.is_dir() else source.parent.glob("*"))
    if source.is_file():
        uid = next((uid for uid, found in headers.items() if any(path == source for path, _ in found)), None)
        if uid is None:
            raise InputError(f"'{source}' is a DICOM file but not an image.", advice="Choose the folder of a scan.")
        series = uid
    uid = _choose(headers, source, series)
    slices = [one for path, header in headers[uid] for one in _slices_of(path, header)]
    slices, grid = _arrange(slices, source)
    array = _pixels(slices, source)
    found = _modality_of(headers[uid][0][1])
    label = str(headers[uid][0][1].get("SeriesDescription") or "") or source.name
    return Volume(array, grid, modality or found, _unit(slices, array, modality or found), label)


def _headers_by_series(paths: Iterable[Path]) -> dict[str, list[tuple[Path, Any]]]:
    try:
        import pydicom
    except ImportError as error:
        raise DependencyError(
            "Reading DICOM needs the package pydicom.", advice="Install it: pip install pydicom."
        ) from error
    found = defaultdict(list)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in sorted(p for p in paths if p.is_file() and p.name != "DICOMDIR"):
            try:
                header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_TAGS)
            except pydicom.errors.InvalidDicomError:
                continue
            except (EOFError, ValueError, NotImplementedError) as error:
                raise InputError(f"'{path}' is a damaged DICOM file.", advice="Copy the series again.") from error
            if header.get("Rows") and header.get("Modality") not in _NOT_SCANS and _has_place(header):
                found[str(header.SeriesInstanceUID)].append((path, header))
    return dict(found)


def _has_place(header: Any) -> bool:
    return "ImagePositionPatient" in header or "PerFrameFunctionalGroupsSequence" in header


def _choose(headers: dict[str, list], source: Path, series: str | None) -> str:
    if not headers:
        raise InputError(
            f"'{source}' holds no DICOM images with a place in the patient.",
            advice="Choose the folder of a CT, MR or PET series.",
        )
    described = {uid: str(found[0][1].get("SeriesDescription") or "no description") for uid, found in headers.items()}
    if series is not None:
        wanted = [uid for uid in headers if uid == series] or [
            uid for uid, text in described.items() if text.casefold() == series.casefold()
        ]
    else:
        wanted = list(headers)
    if len(wanted) == 1:
        return wanted[0]
    listed = "; ".join(f"'{described[uid]}', {_files(len(headers[uid]))}, UID {uid}" for uid in headers)
    if series is not None:
        fault = "no series" if not wanted else f"{len(wanted)} series"
        raise InputError(
            f"'{source}' holds {fault} '{series}'.", advice=f"Choose one by its UID (--series UID): {listed}."
        )
    raise InputError(
        f"'{source}' holds {len(headers)} DICOM series, where one is needed: {listed}.",
        advice="Give the folder of one series or, on the command line, its UID (--series UID).",
    )


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


def _slices_of(path: Path, header: Any) -> list[_Slice]:
    if int(header.get("SamplesPerPixel") or 1) > 1:
        raise InputError(f"'{path}' is a colour picture.", advice="Choose the original greyscale series.")
    if "PerFrameFunctionalGroupsSequence" not in header:
        return [_slice(path, 0, header, header, header, header)]
    shared = next(iter(header.get("SharedFunctionalGroupsSequence") or []), {})
    frames = []
    for index, groups in enumerate(header.PerFrameFunctionalGroupsSequence):

        def group(name: str, groups: Any = groups) -> Any:
            return next(iter(groups.get(name) or shared.get(name) or []), {})

        frames.append(
            _slice(
                path,
                index,
                header,
                {**_plain(group("PlanePositionSequence")), **_plain(group("PlaneOrientationSequence"))},
                group("PixelMeasuresSequence"),
                group("PixelValueTransformationSequence"),
            )
        )
    return frames


def _plain(dataset: Any) -> dict[str, Any]:
    return {element.keyword: element.value for element in dataset}


def _slice(path: Path, frame: int, header: Any, plane: Any, measures: Any, transform: Any) -> _Slice:
    position, orientation = plane.get("ImagePositionPatient"), plane.get("ImageOrientationPatient")
    spacing = measures.get("PixelSpacing")
    if not position or not orientation or not spacing:
        raise InputError(
            f"'{path}' does not say where its pixels lie in the patient.",
            advice="Choose an original CT, MR or PET series rather than a picture made from one.",
        )
    rows, columns = np.asarray(orientation, dtype=float).reshape(2, 3)
    slope, intercept = transform.get("RescaleSlope"), transform.get("RescaleIntercept")
    return _Slice(
        path,
        frame,
        np.asarray(position, dtype=float),
        np.column_stack([rows, columns, np.cross(rows, columns)]),
        (float(spacing[1]), float(spacing[0])),
        (int(header.Columns), int(header.Rows)),
        None if slope is None or intercept is None else (float(slope), float(intercept)),
        str(transform.get("RescaleType") or ""),
    )


def _arrange(slices: list[_Slice], source: Path) -> tuple[list[_Slice], Grid]:
    """The slices in order along their normal, and the grid they make.

    Raises:
        InputError: unless they are parallel, of one size, at different places, evenly spaced and stacked straight.
    """
    first = slices[0]
    for one in slices:
        if one.size != first.size or not np.allclose(one.pixel_mm, first.pixel_mm, rtol=1e-3):
            raise InputError(
                f"'{source}' mixes images of different sizes ('{first.path.name}' and '{one.path.name}').",
                advice="Give a folder that holds one acquisition.",
            )
        if not np.allclose(one.axes, first.axes, atol=1e-3):
            raise InputError(
                f"'{source}' mixes image directions ('{first.path.name}' and '{one.path.name}'), as a localiser does.",
                advice="Choose a series whose slices are parallel.",
            )
    if len(slices) < 2:
        raise InputError(
            f"'{source}' holds a single 2D image; a 3D volume is needed.", advice="Give the folder of the whole series."
        )
    normal = first.axes[:, 2]
    slices = sorted(slices, key=lambda one: float(one.position @ normal))
    places = np.array([one.position for one in slices])
    steps = np.diff(places @ normal)
    _refuse_uneven(slices, steps, source)
    sideways = np.linalg.norm(np.diff(places, axis=0) - steps[:, None] * normal, axis=1)
    if sideways.max() > _TILT_MM_PER_SLICE:
        raise InputError(
            f"The slices in '{source}' are not stacked straight: each is shifted by {sideways.max():.2f} mm "
            "(a tilted gantry).",
            advice=_CONVERT,
        )
    step = float((places[-1] - places[0]) @ normal) / (len(slices) - 1)
    shape = (len(slices), first.size[1], first.size[0])
    return slices, Grid(shape, (*first.pixel_mm, step), tuple(places[0]), tuple(first.axes.ravel()))


def _refuse_uneven(slices: list[_Slice], steps: np.ndarray, source: Path) -> None:
    if steps.min() < _SAME_PLACE_MM:
        at = int(np.argmin(steps))
        raise InputError(
            f"'{source}' has several images at one place ('{slices[at].path.name}' and '{slices[at + 1].path.name}'): "
            "duplicates, or several time points or contrasts in one series.",
            advice="Give a folder that holds one volume only.",
        )
    usual = float(np.median(steps))
    at = int(np.argmax(np.abs(steps - usual)))
    if abs(steps[at] - usual) > _UNEVEN * usual:
        fault = "A slice is missing" if steps[at] > usual else "The slices are unevenly spaced"
        raise InputError(
            f"{fault} in '{source}' between '{slices[at].path.name}' and '{slices[at + 1].path.name}': "
            f"they are {steps[at]:.2f} mm apart, the others {usual:.2f} mm.",
            advice="Fetch the complete series again.",
        )


def _pixels(slices: list[_Slice], source: Path) -> np.ndarray:
    import SimpleITK as sitk

    reader = sitk.ImageSeriesReader()
    paths = list(dict.fromkeys(str(one.path) for one in slices))
    reader.SetFileNames(paths)
    if len({one.rescale for one in slices}) > 1:
        # ITK takes the pixel type from the first slice; PET slices each have a slope of their own.
        reader.SetOutputPixelType(sitk.sitkFloat32)
    try:
        with itk_made_quiet():
            array = sitk.GetArrayFromImage(reader.Execute() if len(paths) > 1 else sitk.ReadImage(paths[0]))
    except RuntimeError as error:
        raise InputError(
            f"The pixels of the DICOM series in '{source}' could not be read: a file is cut short or damaged.",
            advice="Copy the series again.",
        ) from error
    if len(paths) == 1:
        array = array[[one.frame for one in slices]]
    if array.shape != (len(slices), slices[0].size[1], slices[0].size[0]):
        raise InputError(f"The images in '{source}' do not make one volume.", advice=_CONVERT)
    return array


def _modality_of(header: Any) -> Modality:
    try:
        return Modality(str(header.get("Modality")))
    except ValueError:
        return Modality.UNKNOWN


def _unit(slices: list[_Slice], array: np.ndarray, modality: Modality) -> Unit:
    """HU where a CT says how its values are rescaled and they can be HU.

    Copies of CT series exist whose values were shifted to start at zero, with an intercept of 0 and the rescale type
    "US" (unspecified): those are not Hounsfield units, though the tags are there.
    """
    first = slices[0]
    if modality is not Modality.CT or first.rescale is None or first.rescale_type not in ("", "HU", "US"):
        return Unit.ARBITRARY
    return Unit.HOUNSFIELD if first.rescale[1] != 0 or array.min() < 0 else Unit.ARBITRARY
