"""The one volume that was asked for, among all that lie in a DICOM folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.find_series import files_in, series_files
from MedSegAI.Logic.files.dicom.found_series import FoundSeries
from MedSegAI.Logic.files.dicom.headers import Headers, names, read_headers
from MedSegAI.Logic.files.dicom.volumes import PART, SeriesVolume, volumes_of_series
from MedSegAI.Logic.reporter import Reporter


def chosen_volume(
    source: Path,
    *,
    files: Sequence[Path] | None = None,
    series: str | None = None,
    shown_as: str = "",
    reporter: Reporter | None = None,
) -> SeriesVolume:
    """The readable volume of a folder, or of the series that a file belongs to.

    Reports, colour pictures and single images beside one scan do not make a choice necessary.

    Args:
        source: A folder, searched through all its sub-folders, or one DICOM file, which stands for the whole series it
            belongs to as far as it lies in the same folder.
        files: The files to look at instead of those under ``source``.
        series: Series UID, with ``#2`` for the second of several volumes in it; or a description only one series has.
        shown_as: What a sentence calls the source, where it is not its path.
        reporter: Told how far it is.

    Raises:
        InputError: where there is none, or several and none was chosen, or the one chosen cannot be read.
    """
    if source.name.upper() == "DICOMDIR":
        source = source.parent
    looked_at = files_in([source]) if source.is_dir() else source.parent.iterdir()
    headers = read_headers(looked_at if files is None else files, reporter=reporter)
    if files is None and source.is_file():
        series = series or _series_of(source, headers)
    found = [volume for group in series_files(headers).values() for volume in volumes_of_series(group)]
    volume = _readable(_choose(found, shown_as or str(source), series, headers))
    _refuse_damaged_neighbours(volume, headers)
    return volume


def found_volume(found: FoundSeries, *, reporter: Reporter | None = None) -> SeriesVolume:
    """The volume that ``find_series`` described, from its files as they are now.

    Raises:
        InputError: if it cannot be read, or is there no more.
    """
    headers = read_headers(found.files, reporter=reporter)
    volumes = [volume for group in series_files(headers).values() for volume in volumes_of_series(group)]
    # The files of one of several volumes make one volume when they are alone.
    same = [volume for volume in volumes if volume.uid == found.uid] or volumes
    if len(same) != 1 or same[0].planes != found.frame_count:
        raise InputError(
            f"The files of the series '{found.description or found.uid}' are not those that were found.",
            advice="Look for the series again.",
        )
    return _readable(same[0])


def _readable(volume: SeriesVolume) -> SeriesVolume:
    if volume.error is not None:
        raise InputError(volume.error.problem, advice=volume.error.advice) from volume.error
    return volume


def _series_of(source: Path, headers: Headers) -> str:
    uid = next((str(file.header.get("SeriesInstanceUID")) for file in headers.files if file.path == source), None)
    if uid is None:
        raise InputError(f"'{source}' is a damaged DICOM file, or none.", advice="Copy it again.")
    return uid


def _choose(found: list[SeriesVolume], source: str, series: str | None, headers: Headers) -> SeriesVolume:
    scans = [volume for volume in found if volume.is_scan]
    if series is None:
        candidates = scans or found
        if not candidates:
            raise _nothing(source, headers)
        if not scans and len(found) > 1:
            error = found[0].error
            raise InputError(
                f"'{source}' holds no DICOM images with a place in the patient that make a volume; "
                f"{error.problem if error else ''}",
                advice="Choose the folder of a CT, MR or PET series.",
            )
        if len(candidates) == 1:
            return candidates[0]
        raise InputError(
            f"'{source}' holds {len(candidates)} {_kind(candidates)}, where one is needed: {_listed(candidates)}.",
            advice="Give the folder of one series or, on the command line, its UID (--series UID).",
        )
    wanted = _named(found, series)
    if len(wanted) == 1:
        return wanted[0]
    fault = "no series" if not wanted else f"{len(wanted)} {_kind(wanted)}"
    listed = wanted or scans
    advice = f"Choose one by its UID (--series UID): {_listed(listed)}." if listed else "Choose another folder."
    raise InputError(f"'{source}' holds {fault} '{series}'.", advice=advice)


def _named(found: list[SeriesVolume], series: str) -> list[SeriesVolume]:
    """Those whose UID it is; else those with this series UID; else those with this description."""
    by_uid = [volume for volume in found if volume.uid == series]
    by_series = [volume for volume in found if volume.uid.split(PART)[0] == series]
    return by_uid or by_series or [volume for volume in found if volume.description.casefold() == series.casefold()]


def _kind(volumes: list[SeriesVolume]) -> str:
    """One series may hold several volumes, such as time points."""
    several_in_one = len({volume.uid.split(PART)[0] for volume in volumes}) < len(volumes)
    return "volumes in DICOM series" if several_in_one else "DICOM series"


def _listed(volumes: list[SeriesVolume]) -> str:
    return "; ".join(
        f"'{volume.description or 'no description'}', {_files(len(volume.files))}, UID {volume.uid}"
        for volume in volumes
    )


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


def _nothing(source: str, headers: Headers) -> InputError:
    if headers.damaged:
        return InputError(
            f"'{source}' holds nothing but damaged DICOM files: {names(headers.damaged)}.",
            advice="Copy the series again.",
        )
    return InputError(
        f"'{source}' holds no DICOM images with a place in the patient.",
        advice="Choose the folder of a CT, MR or PET series.",
    )


def _refuse_damaged_neighbours(volume: SeriesVolume, headers: Headers) -> None:
    """A damaged file beside the slices may be one of them: at an end of the stack nobody would miss it."""
    folders = {file.path.parent for file in volume.files}
    near = [path for path in headers.damaged if path.parent in folders]
    if near:
        raise InputError(
            f"{names(near)} beside the slices {'is a damaged DICOM file' if len(near) == 1 else 'are damaged'}, or may "
            "not be read, and may belong to the series.",
            advice="Copy the series again; or take the damaged file away if it is none of its slices.",
        )
