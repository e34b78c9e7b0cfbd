"""DICOM files to an archive by DICOMweb (STOW-RS), and nothing that names a patient by mistake."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.files.dicom.deidentify.burned_in import burned_in_sign
from MedSegAI.Logic.files.dicom.deidentify.method import is_deidentified
from MedSegAI.Logic.files.dicom.headers import looks_like_dicom, names, read_data_set, read_headers
from MedSegAI.Logic.files.dicom.pixels import missing_bytes
from MedSegAI.Logic.files.dicom.web_archive import WebArchive
from MedSegAI.Logic.reporter import Reporter, SilentReporter

_STAGE = "sending"
_REASONS = {
    0x0110: "it could not be processed",
    0x0117: "its UID is not valid",
    0x0122: "this kind of object is not taken",
    0x0124: "storing is not allowed",
    0x0131: "the patient or study does not fit what is stored already",
    0xA700: "the archive is full",
    0xA900: "its content does not fit its kind",
    0xC000: "it was not understood",
    0xC122: "its transfer syntax is not taken",
}
_CONFLICT = 409


class Privacy(Enum):
    """Whether files that name a patient may leave."""

    DEIDENTIFIED_ONLY = "de-identified only"
    IDENTIFIED_TOO = "identified too"


@dataclass(frozen=True)
class Sent:
    """What became of the files.

    Args:
        stored: Files that the archive took.
        failed: Files that it did not take, and why.
        identified: How many of all files name a patient.
    """

    stored: tuple[Path, ...]
    failed: tuple[tuple[Path, str], ...]
    identified: int


def send_files(
    source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    archive: WebArchive,
    *,
    privacy: Privacy = Privacy.DEIDENTIFIED_ONLY,
    reporter: Reporter | None = None,
) -> Sent:
    """Send DICOM files, one request each, so that a refusal concerns one file only.

    A file counts as de-identified where it says so itself (Patient Identity Removed is YES, as
    ``deidentify_folder`` and other programs write it). All files are looked at before the first one leaves.

    Args:
        source: A folder, searched through its sub-folders, or files.
        archive: Where to.
        privacy: Whether files that name a patient may leave.
        reporter: Told of progress, and of pictures that may have names written into them.

    Returns:
        What was stored and what not; a refusal of one file raises nothing.

    Raises:
        DependencyError: if the package dicomweb-client is not installed.
        InputError: if there is no DICOM file; a file is cut short or names a patient although that was not allowed,
            before anything is sent; the archive cannot be reached or refuses as a whole.
        Cancelled: if the reporter said so; says how many files had been sent.
    """
    reporter = reporter or SilentReporter()
    client = archive.client()
    headers = _headers(source)
    identified = [path for path, header in headers.items() if not is_deidentified(header)]
    _refuse_identified(identified, len(headers), privacy)
    _refuse_cut_short(list(headers))
    _warn(headers, identified, reporter)
    stored: list[Path] = []
    failed: list[tuple[Path, str]] = []
    for done, path in enumerate(headers):
        reporter.progress(done, len(headers), _STAGE)
        if reporter.cancelled():
            raise Cancelled(advice=f"{len(stored)} of {len(headers)} files had been sent; the archive keeps them.")
        reason = _store(path, client, archive, sent=len(stored))
        if reason:
            failed.append((path, reason))
        else:
            stored.append(path)
    reporter.progress(len(headers), len(headers), _STAGE)
    return Sent(tuple(stored), tuple(failed), len(identified))


def _headers(source: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> dict[Path, Any]:
    import pydicom

    named = [Path(source)] if isinstance(source, str | os.PathLike) else [Path(path) for path in source]
    named = [path.expanduser() for path in named]
    files = [file for path in named for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    found = {}
    for file in (file for file in files if file.is_file()):
        try:
            header = pydicom.dcmread(file, stop_before_pixels=True, force=looks_like_dicom(file))
        except pydicom.errors.InvalidDicomError:
            continue
        except (EOFError, ValueError, NotImplementedError, OSError) as error:
            raise InputError(f"'{file}' is a damaged DICOM file.", advice="Take it away, or copy it again.") from error
        if "SOPInstanceUID" in header:
            found[file] = header
    if not found:
        raise InputError(f"There is no DICOM file at '{named[0] if named else ''}'.", advice="Check the path.")
    return found


def _refuse_identified(identified: Sequence[Path], total: int, privacy: Privacy) -> None:
    if identified and privacy is Privacy.DEIDENTIFIED_ONLY:
        raise InputError(
            f"{len(identified)} of {total} files may name a patient, such as '{identified[0]}': nothing was sent.",
            advice="De-identify them first (medsegai dicom deidentify), or say that they may leave as they are "
            "(--identified).",
        )


def _refuse_cut_short(paths: Sequence[Path]) -> None:
    # An archive takes half a picture without a word, and then keeps it when the whole one comes.
    short = [file.path for file in read_headers(paths).files if missing_bytes(file)]
    if short:
        raise InputError(
            f"The pixels of {names(short)} are cut short: nothing was sent.",
            advice="Copy these files again, or take them away.",
        )


def _warn(headers: dict[Path, Any], identified: Sequence[Path], reporter: Reporter) -> None:
    if identified:
        reporter.message(f"{len(identified)} of {len(headers)} files name a patient, and leave as they are.")
    signs = [sign for sign in map(burned_in_sign, headers.values()) if sign]
    if signs:
        reporter.message(f"{len(signs)} pictures may have names or dates written into them ({signs[0]}).")


def _store(path: Path, client: Any, archive: WebArchive, *, sent: int) -> str:
    """Send one file; why it was not taken, empty where it was."""
    import requests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answer = client.store_instances([read_data_set(path)])
        except requests.HTTPError as error:
            if error.response is not None and error.response.status_code == _CONFLICT:
                return _reason_in(_answer_of(error.response)) or "the archive refused it"
            raise _with_count(archive, error, sent) from error
        except requests.RequestException as error:
            raise _with_count(archive, error, sent) from error
    return _reason_in(answer)


def _answer_of(response: Any) -> Any:
    import pydicom

    try:
        return pydicom.Dataset.from_json(response.json())
    except (ValueError, KeyError, TypeError):
        return pydicom.Dataset()


def _reason_in(answer: Any) -> str:
    failures = answer.get("FailedSOPSequence")
    if not failures:
        return ""
    code = failures[0].get("FailureReason")
    return _REASONS.get(code, f"the archive gives the reason {code}")


def _with_count(archive: WebArchive, error: Exception, sent: int) -> InputError:
    told = archive.error(error)
    return InputError(told.problem, advice=f"{told.advice} {sent} files had been sent before.".strip())
