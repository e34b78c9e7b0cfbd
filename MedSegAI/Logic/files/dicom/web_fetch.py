"""DICOM series from an archive by DICOMweb (QIDO-RS, WADO-RS), streamed to disk."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from MedSegAI.Logic.errors import InputError, MedSegAIError
from MedSegAI.Logic.files.atomic import make_folder, storage_error
from MedSegAI.Logic.files.dicom.web_archive import WebArchive
from MedSegAI.Logic.files.new_folder import new_folder
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled

_STAGE = "fetching"
_CHUNK = 1 << 20
_UID = re.compile(r"[0-9][0-9.]{0,63}")
_AS_STORED = (("application/dicom", "*"),)
_FIELDS = ("StudyDescription", "StudyDate", "PatientName", "PatientID", "BodyPartExamined", "SeriesDescription")


@dataclass(frozen=True)
class RemoteSeries:
    """A series that an archive has; who is in the picture stays out of ``repr``.

    Args:
        study_uid: Study Instance UID.
        uid: Series Instance UID.
        description: Series description; may be empty.
        number: Series number; None where it is not known.
        modality: DICOM's code.
        patient: Name and ID of the patient; may be empty.
        study: Description of the study; may be empty.
        study_date: Such as "2026-03-31"; may be empty.
        instances: Number of images or objects; 0 where the archive does not say.
    """

    study_uid: str
    uid: str
    description: str
    number: int | None
    modality: str
    patient: str = field(default="", repr=False)
    study: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)
    instances: int = 0


@dataclass(frozen=True)
class WebAddress:
    """An address of a service, a study or a series.

    Args:
        service: Address of the DICOMweb service.
        study_uid: Study Instance UID; empty for a service.
        series_uid: Series Instance UID; empty for a service or a study.
    """

    service: str
    study_uid: str = ""
    series_uid: str = ""


def is_web_address(text: str) -> bool:
    """Whether a text is an address rather than a path."""
    return text.startswith(("http://", "https://"))


def web_address(url: str) -> WebAddress:
    """The parts of ``SERVICE``, ``SERVICE/studies/UID`` or ``SERVICE/studies/UID/series/UID``.

    Raises:
        InputError: if something else follows the service's address.
    """
    parts = urlsplit(url)
    path, found, rest = parts.path.partition("/studies/")
    service = urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", ""))
    if not found:
        return WebAddress(service)
    study, _, series = rest.strip("/").partition("/series/")
    if not _UID.fullmatch(study) or (series and not _UID.fullmatch(series)):
        raise InputError(
            f"'{url}' is no address of a DICOM study or series.",
            advice="It ends in /studies/UID or /studies/UID/series/UID.",
        )
    return WebAddress(service, study, series)


def find_remote_series(
    archive: WebArchive, *, study_uid: str = "", series_uid: str = "", patient_id: str = "", modality: str = ""
) -> tuple[RemoteSeries, ...]:
    """The series that an archive has, of one study, of one patient or of one modality where that is given.

    Raises:
        DependencyError: if the package dicomweb-client is not installed.
        InputError: if the archive cannot be reached, refuses, or is none.
    """
    filters = {"PatientID": patient_id, "Modality": modality, "SeriesInstanceUID": series_uid}
    client = archive.client()
    with _answers(archive):
        found = client.search_for_series(
            study_instance_uid=study_uid or None,
            search_filters={keyword: value for keyword, value in filters.items() if value} or None,
            fields=_FIELDS,
            get_remaining=True,
        )
        series = [_remote(item) for item in found]
    return tuple(sorted(series, key=lambda one: (one.patient, one.study_date, one.number or 0, one.uid)))


def fetch_series(
    archive: WebArchive,
    series: RemoteSeries,
    folder: str | os.PathLike[str],
    *,
    reporter: Reporter | None = None,
) -> tuple[Path, ...]:
    """Fetch the files of a series as they are stored in the archive, one after the other, into a new folder.

    At most one file is in memory. Where it ends early, for whatever reason, nothing is left in ``folder``.

    Args:
        archive: Where from.
        series: What.
        folder: Is made; must not exist, or be empty.
        reporter: Told how many files have come, and asked whether to stop.

    Returns:
        The files, named by their SOP Instance UIDs.

    Raises:
        DependencyError: if the package dicomweb-client is not installed.
        InputError: if the archive cannot be reached, refuses, breaks off or sends less than it has.
        StorageError: if the folder is not empty or cannot be written.
        Cancelled: if the reporter asked to stop.
    """
    reporter = reporter or SilentReporter()
    target = Path(folder).expanduser().absolute()
    make_folder(target.parent)
    with new_folder(target) as room:
        room.chmod(0o700)
        names = _fetch(archive, series, room, reporter)
    return tuple(target / name for name in names)


def _fetch(archive: WebArchive, series: RemoteSeries, room: Path, reporter: Reporter) -> list[str]:
    client = archive.client()
    client.set_chunk_size(_CHUNK)
    names: list[str] = []
    with _answers(archive):
        total = series.instances or len(client.search_for_instances(series.study_uid, series.uid, get_remaining=True))
        reporter.progress(0, total, _STAGE)
        for dataset in client.iter_series(series.study_uid, series.uid, media_types=_AS_STORED):
            raise_if_cancelled(reporter)
            names.append(_save(dataset, room))
            reporter.progress(len(names), max(total, len(names)), _STAGE)
    if len(set(names)) < max(total, 1):
        raise InputError(
            f"The archive at {archive.url} sent {len(set(names))} of {total} files of the series {series.uid}.",
            advice="Try again; if it happens again, ask whoever runs the archive.",
        )
    return sorted(set(names))


def _save(dataset: Any, room: Path) -> str:
    path = room / f"{_uid_of(dataset, 'SOPInstanceUID')}.dcm"
    try:
        dataset.save_as(path, enforce_file_format=True)
        path.chmod(0o600)
    except OSError as error:
        raise storage_error(path, error) from error
    return path.name


def _uid_of(dataset: Any, keyword: str) -> str:
    """An identifier that the archive sent; folders, files and addresses are named by it, so it must be one."""
    uid = str(dataset.get(keyword) or "")
    if not _UID.fullmatch(uid):
        raise InputError(f"The archive sent no valid {keyword}.", advice="Ask whoever runs the archive.")
    return uid


@contextmanager
def _answers(archive: WebArchive) -> Iterator[None]:
    """Whatever the client makes of the archive's answers becomes a sentence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except MedSegAIError:
            raise
        except Exception as error:  # the client raises what its libraries do: requests, JSON, pydicom
            raise archive.error(error) from error


def _remote(item: Any) -> RemoteSeries:
    import pydicom

    found = pydicom.Dataset.from_json(item)
    name = " ".join(part for part in str(found.get("PatientName") or "").split("^") if part)
    known = str(found.get("PatientID") or "")
    date = str(found.get("StudyDate") or "")
    return RemoteSeries(
        study_uid=_uid_of(found, "StudyInstanceUID"),
        uid=_uid_of(found, "SeriesInstanceUID"),
        description=str(found.get("SeriesDescription") or ""),
        number=None if found.get("SeriesNumber") is None else int(found.SeriesNumber),
        modality=str(found.get("Modality") or ""),
        patient=f"{name} ({known})" if name and known else name or known,
        study=str(found.get("StudyDescription") or ""),
        study_date=f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 else date,
        instances=int(found.get("NumberOfSeriesRelatedInstances") or 0),
    )
