"""The DICOM series that a result was made from, as the objects that refer to it need it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.choose import chosen_volume, found_volume
from MedSegAI.Logic.files.dicom.find_series import find_series
from MedSegAI.Logic.files.dicom.found_series import FoundSeries
from MedSegAI.Logic.files.dicom.read_series import read_found_series
from MedSegAI.Logic.files.dicom.stack import Stack
from MedSegAI.Logic.files.dicom.unpack import is_zip, unpack_zip
from MedSegAI.Logic.files.dicom.volumes import SeriesVolume
from MedSegAI.Logic.files.private_folder import private_folder
from MedSegAI.Logic.volume import Volume

Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

_SAME_PLACE_MM = 0.01
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

    def has_grid_of(self, volume: Volume) -> bool:
        """Whether a volume lies on the very grid of the scan."""
        return self.scan.grid.same_frame(volume.grid, tolerance_mm=_SAME_PLACE_MM)

    def refuse_other_grid(self, volume: Volume) -> None:
        """Raise :class:`InputError` where a volume does not lie on the very grid of the scan."""
        if not self.has_grid_of(volume):
            raise InputError(
                f"'{volume.name}' does not lie on the grid of the series '{self.scan.name}'.",
                advice="Name the series that the result was made from, or resample the result to it first.",
            )

    def in_frame_order(self, array: np.ndarray) -> np.ndarray:
        """An array (k, j, i) of the scan's grid as planes in the order of the images' frames."""
        return array[list(self.planes)]


def read_source_series(source: Source, *, series: str | None = None) -> SourceSeries:
    """Read the series in a folder or zip, or of some files.

    Names are decoded to Unicode; attributes that must be there but may be empty are there.

    Args:
        source: A folder, a zip, one file (which stands for its series in its folder), or all files of a series.
        series: Its UID or description, where the source holds several.

    Raises:
        InputError: as ``read_volume``; for a series that was straightened because of a tilted gantry; for one whose
            files are not one for each plane, nor one for all.
    """
    paths = [Path(source)] if isinstance(source, str | os.PathLike) else [Path(path) for path in source]
    paths = [path.expanduser() for path in paths]
    if not paths or not all(path.exists() for path in paths):
        raise InputError(
            f"There is no DICOM series of the scan at '{paths[0] if paths else ''}'.",
            advice="Name the folder of the series that was segmented, or write a .seg.nrrd.",
        )
    with private_folder() as room:
        volume = _chosen(paths, series, room)
        files = tuple(file.path for file in volume.files)
        _refuse_unfit(volume.stack, len(files), volume.description)
        scan = read_found_series(FoundSeries(volume.uid, volume.description, files=files, frame_count=volume.planes))
        images = tuple(_header(path) for path in files)
    if len(images) > 1:
        return SourceSeries(scan, images, tuple(range(len(images))))
    plane_of_frame = {plane.frame: k for k, plane in enumerate(volume.stack.planes)}
    return SourceSeries(scan, images, tuple(plane_of_frame[frame] for frame in sorted(plane_of_frame)))


def _chosen(paths: Sequence[Path], series: str | None, room: Path) -> SeriesVolume:
    if len(paths) > 1:
        return found_volume(_only_one(find_series(paths), paths, series))
    (path,) = paths
    if path.is_file() and is_zip(path):
        return chosen_volume(unpack_zip(path, room / "unpacked"), series=series, shown_as=str(path))
    return chosen_volume(path, series=series)


def _only_one(found: Sequence[FoundSeries], paths: Sequence[Path], series: str | None) -> FoundSeries:
    fit = [one for one in found if one.usable and series in (None, one.uid, one.description)]
    if len(fit) == 1:
        return fit[0]
    problems = " ".join(one.problem for one in found if one.problem)
    raise InputError(
        f"'{paths[0]}' and {len(paths) - 1} more files make {len(fit)} series that can be read, where one is needed. "
        f"{problems}".strip(),
        advice="Name the files of the series that was segmented.",
    )


def _refuse_unfit(stack: Stack, files: int, name: str) -> None:
    if stack.is_tilted:
        raise InputError(
            f"The gantry was tilted for the series '{name}', so the result lies on straightened slices that no image "
            "of the series has.",
            advice="Write a .seg.nrrd.",
        )
    frames = {int(plane.file.header.get("NumberOfFrames") or 1) for plane in stack.planes}
    if files != len(stack.planes) and (files > 1 or frames != {len(stack.planes)}):
        raise InputError(
            f"The series '{name}' has neither one file for each of its {len(stack.planes)} slices nor one for all.",
            advice="Write a .seg.nrrd.",
        )


def _header(path: Path) -> Any:
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = pydicom.dcmread(path, stop_before_pixels=True)
        # Names of people and of labels come in any script, whatever the scanner's.
        header.decode()
        header.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _MAY_BE_EMPTY:
        if keyword not in header:
            setattr(header, keyword, "")
    return header
