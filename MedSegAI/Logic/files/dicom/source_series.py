"""The DICOM series that a result was made from, as the objects that refer to it need it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Volume

Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

_OFF_PLANE = 1e-2
_IN_FRAMES = "PerFrameFunctionalGroupsSequence"
# What must be there, but may be empty, in everything that is derived from an image (DICOM PS3.3, type 2).
_MAY_BE_EMPTY = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "StudyDate", "StudyTime",
    "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SourceSeries:
    """A series and its images.

    Args:
        scan: Its voxels (k, j, i) and grid, LPS mm.
        images: Headers without pixels: one for each plane in the order of k, or the one of a multi-frame image.
        planes: Plane k of each frame, in the order in which ``images`` has them.
    """

    scan: Volume
    images: tuple[Any, ...]
    planes: tuple[int, ...]

    @property
    def is_multi_frame(self) -> bool:
        """Whether one file holds all planes."""
        return _IN_FRAMES in self.images[0]

    def in_frame_order(self, array: np.ndarray) -> np.ndarray:
        """An array (k, j, i) of the scan's grid as planes in the order of the images' frames."""
        return array[list(self.planes)]


def read_source_series(source: Source, *, series: str | None = None) -> SourceSeries:
    """Read the series in a folder, or of some files.

    Names are decoded to Unicode, attributes that must be there but may be empty are there.

    Args:
        source: A folder, one file, or all files of a series.
        series: Its UID or description, where the source holds several.

    Raises:
        InputError: as ``read_volume``; and for a series whose files are not one for each plane, nor one for all.
    """
    paths = [Path(source)] if isinstance(source, str | os.PathLike) else [Path(path) for path in source]
    paths = [path.expanduser() for path in paths]
    if not paths or not all(path.exists() for path in paths):
        raise InputError(
            f"There is no DICOM series of the scan at {_named(paths)}.",
            advice="Name the folder of the series that was segmented, or write a .seg.nrrd.",
        )
    if not paths[0].is_dir() and series is None:
        series = _series_of(paths[0])
    scan = read_volume(
        paths[0] if len(paths) == 1 else Path(os.path.commonpath([p.parent for p in paths])), series=series
    )
    headers = list(_headers(_files(paths), series))
    for header in headers:
        _make_complete(header)
    multi_frame = [header for header in headers if _IN_FRAMES in header]
    if multi_frame:
        order = _planes_of_frames(multi_frame[0], scan.grid)
        images: tuple[Any, ...] = (multi_frame[0],)
    else:
        found = _single_frames(headers, scan.grid)
        order = sorted(found)
        images = tuple(found[k] for k in order)
    if sorted(order) != list(range(scan.grid.shape[0])):
        raise InputError(
            f"The files at {_named(paths)} are not one for each of the {scan.grid.shape[0]} slices of the scan as it "
            "was read, nor one for all of them.",
            advice="A series that was straightened or cut when it was read takes no DICOM results: write a .seg.nrrd.",
        )
    return SourceSeries(scan, images, tuple(order))


def _named(paths: Sequence[Path]) -> str:
    return f"'{paths[0]}'" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "") if paths else "no place"


def _files(paths: Iterable[Path]) -> list[Path]:
    """Every file named, and those of a folder; one file alone stands for its folder."""
    paths = list(paths)
    folders = [path if path.is_dir() else path.parent for path in paths if path.is_dir() or len(paths) == 1]
    below = [file for folder in folders for file in folder.rglob("*")]
    return sorted({path for path in (below or paths) if path.is_file()})


def _headers(files: Iterable[Path], series: str | None) -> Iterable[Any]:
    """The images among the files that belong to the series and have a place in the patient."""
    import pydicom

    wanted = None if series is None else series.split("#")[0].casefold()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for file in files:
            try:
                header = pydicom.dcmread(file, stop_before_pixels=True)
            except (pydicom.errors.InvalidDicomError, EOFError, ValueError):
                continue
            names = (str(header.get("SeriesInstanceUID", "")), str(header.get("SeriesDescription", "")).casefold())
            is_placed = "ImagePositionPatient" in header or _IN_FRAMES in header
            if is_placed and header.get("Modality") not in ("SEG", "RTSTRUCT", "SR") and wanted in (None, *names):
                yield header


def _series_of(file: Path) -> str | None:
    import pydicom

    try:
        return str(
            pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["SeriesInstanceUID"]).SeriesInstanceUID
        )
    except (pydicom.errors.InvalidDicomError, AttributeError, ValueError, EOFError, OSError):
        return None


def _make_complete(header: Any) -> None:
    # Names of people and of labels come in any script, whatever the scanner's.
    header.decode()
    header.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _MAY_BE_EMPTY:
        if keyword not in header:
            setattr(header, keyword, "")


def _single_frames(headers: Iterable[Any], grid: Grid) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for header in headers:
        k = _plane(header.ImagePositionPatient, grid)
        if k is not None:
            found.setdefault(k, header)
    return found


def _planes_of_frames(header: Any, grid: Grid) -> list[int]:
    places = [
        (frame.get("PlanePositionSequence") or header.SharedFunctionalGroupsSequence[0].PlanePositionSequence)[0]
        for frame in header.PerFrameFunctionalGroupsSequence
    ]
    planes = [_plane(place.ImagePositionPatient, grid) for place in places]
    return [-1 if k is None else k for k in planes]


def _plane(position: Any, grid: Grid) -> int | None:
    """The plane whose first voxel lies at this LPS position in mm, None where there is none."""
    kji = grid.kji_of(np.asarray(position, dtype=float))
    return (
        int(np.rint(kji[0])) if np.abs(kji - np.rint(kji)).max() < _OFF_PLANE and np.abs(kji[1:]).max() < 0.5 else None
    )
