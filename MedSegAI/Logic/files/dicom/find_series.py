"""Which DICOM series lie in a folder, a zip or a list of files, and which of them can be read as a volume."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.found_series import FoundSeries
from MedSegAI.Logic.files.dicom.headers import DicomFile, Headers, names, read_headers
from MedSegAI.Logic.files.dicom.pixels import missing_bytes
from MedSegAI.Logic.files.dicom.straighten import straight_grid, straightening_record
from MedSegAI.Logic.files.dicom.unpack import is_zip, unpack_zip
from MedSegAI.Logic.files.dicom.volumes import SeriesVolume, volumes_of_series
from MedSegAI.Logic.files.private_folder import private_folder
from MedSegAI.Logic.reporter import Reporter

Sources = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def find_series(
    sources: Sources, *, unpack_into: Path | None = None, reporter: Reporter | None = None
) -> tuple[FoundSeries, ...]:
    """Find the DICOM series in folders (with all their sub-folders), zip files, DICOMDIR folders or single files.

    Only headers are read, so it is quick. What is found is described, never judged by exception: a series that cannot
    be read as a volume says why, and files that are damaged are named in an entry of their own, without a UID.

    Args:
        sources: One path, or several.
        unpack_into: An empty folder of the caller's, in which the files of zips are kept so that the series can be
            read from there. Without it a zip is unpacked, looked through and removed again, and the ``files`` of its
            series name the zip itself, which ``read_volume`` takes as well.
        reporter: Told how far it is.

    Returns:
        Readable scans first, in the order of their series numbers; reports, segmentations and the like after them.

    Raises:
        InputError: if a path does not exist, or a zip is damaged, unsafe or too large.
        Cancelled: if the reporter asked to stop.
    """
    paths = [Path(sources)] if isinstance(sources, str | os.PathLike) else [Path(source) for source in sources]
    paths = [path.expanduser() for path in paths]
    zips = [path for path in paths if path.is_file() and is_zip(path)]
    others = [path for path in paths if path not in zips]
    found = list(_described(read_headers(files_in(others), reporter=reporter)))
    for number, archive in enumerate(zips):
        if unpack_into is not None:
            folder = unpack_zip(archive, unpack_into / f"{number}", reporter=reporter)
            found += _described(read_headers(files_in([folder]), reporter=reporter))
            continue
        with private_folder() as room:
            folder = unpack_zip(archive, room / "unpacked", reporter=reporter)
            inside = _described(read_headers(files_in([folder]), reporter=reporter))
            found += [replace(one, files=(archive,)) for one in inside]
    return tuple(sorted(found, key=_order))


def files_in(paths: Iterable[Path]) -> list[Path]:
    """All files under folders, and the files themselves; a DICOMDIR stands for its folder.

    Links to folders are not followed.

    Raises:
        InputError: if a path does not exist.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += [inside for inside in path.rglob("*") if inside.is_file()]
        elif not path.exists():
            raise InputError(f"There is no file or folder '{path}'.", advice="Check the path.")
        elif path.name.upper() == "DICOMDIR":
            found += [inside for inside in path.parent.rglob("*") if inside.is_file()]
        else:
            found.append(path)
    return [path for path in dict.fromkeys(found) if path.name.upper() != "DICOMDIR"]


def series_files(headers: Headers) -> dict[str, list[DicomFile]]:
    """The files of each series by its UID."""
    found: dict[str, list[DicomFile]] = defaultdict(list)
    for file in headers.files:
        found[str(file.header.get("SeriesInstanceUID"))].append(file)
    return dict(found)


def _described(headers: Headers) -> Iterable[FoundSeries]:
    for files in series_files(headers).values():
        for volume in volumes_of_series(files):
            yield _describe(volume)
    if headers.damaged:
        count = len(headers.damaged)
        what = "1 DICOM file is" if count == 1 else f"{count} DICOM files are"
        yield FoundSeries(
            "",
            "damaged files",
            files=headers.damaged,
            file_count=count,
            problem=f"{what} damaged, incomplete or not readable: {names(headers.damaged)}. Export the series again.",
        )


def _describe(volume: SeriesVolume) -> FoundSeries:
    header = volume.files[0].header
    grid = None
    notes = volume.notes
    problem = "" if volume.error is None else str(volume.error)
    if volume.stack is not None:
        grid = straight_grid(volume.stack) if volume.stack.is_tilted else volume.stack.grid
        if volume.stack.is_tilted:
            notes = (*notes, straightening_record(volume.stack).sentence)
        problem = _cut_short(volume.files)
    return FoundSeries(
        uid=volume.uid,
        description=volume.description,
        number=_number(header.get("SeriesNumber")),
        modality=str(header.get("Modality") or ""),
        patient=_patient(header),
        study=str(header.get("StudyDescription") or ""),
        study_date=_date(str(header.get("StudyDate") or "")),
        body_part=str(header.get("BodyPartExamined") or ""),
        files=tuple(file.path for file in volume.files),
        file_count=len(volume.files),
        frame_count=volume.planes,
        size=None if grid is None else grid.size,
        spacing=None if grid is None else grid.spacing,
        frame_of_reference=frame_of_reference(volume.files),
        problem=problem,
        notes=notes,
    )


def frame_of_reference(files: Sequence[DicomFile]) -> str:
    """The Frame of Reference UID that all files share; empty where they name none, or several."""
    found = {str(file.header.get("FrameOfReferenceUID") or "") for file in files}
    return found.pop() if len(found) == 1 else ""


def _cut_short(files: Sequence[DicomFile]) -> str:
    short = [file.path for file in files if missing_bytes(file)]
    return f"The pixels of {names(short)} are cut short. Copy the series again." if short else ""


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _patient(header: Any) -> str:
    """Name and ID as a person reads them, without DICOM's carets."""
    name = " ".join(part for part in str(header.get("PatientName") or "").split("^") if part)
    known = str(header.get("PatientID") or "")
    return f"{name} ({known})" if name and known and name != known else name or known


def _date(value: str) -> str:
    return f"{value[:4]}-{value[4:6]}-{value[6:8]}" if len(value) == 8 and value.isdigit() else value


def _order(found: FoundSeries) -> tuple[bool, str, str, int, str]:
    number = found.number if found.number is not None else 1 << 31
    return not found.usable, found.patient, found.study_date, number, found.uid
