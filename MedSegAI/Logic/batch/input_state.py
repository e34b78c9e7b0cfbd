"""What a case's files look like, so that a later run can tell whether they are still the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from MedSegAI.Logic.batch.case import BatchCase
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.headers import looks_like_dicom

_CHUNK_BYTES = 1 << 20
_HEADER_BYTES = 1 << 16
_DATA_FILE = re.compile(rb"^(?:ElementDataFile *=|data ?file:) *(.+?)\r?$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class InputState:
    """The files of a case at one moment.

    Args:
        count: How many files there are.
        size: Bytes of all of them.
        stamps: SHA-256 over name, size and time of change of each file; quick to find.
        content: SHA-256 over the bytes of all files, in the order of their names.
    """

    count: int
    size: int
    stamps: str
    content: str

    def to_plain(self) -> dict[str, Any]:
        """The state as JSON values; ``InputState(**plain)`` reads them back."""
        return asdict(self)


def state_of(case: BatchCase) -> InputState:
    """The state of a case's files now; reads all their bytes.

    Raises:
        InputError: if one of them is missing or cannot be read.
    """
    files = files_of(case)
    with _told(case):
        count, size, stamps = _stamps(files)
        return InputState(count, size, stamps, _content(files))


def is_unchanged(case: BatchCase, before: InputState) -> bool:
    """Whether the files still hold what they held; the bytes are read only where a time or a name differs.

    Raises:
        InputError: if one of them is missing or cannot be read.
    """
    files = files_of(case)
    with _told(case):
        count, size, stamps = _stamps(files)
        if (count, size) != (before.count, before.size):
            return False
        return stamps == before.stamps or _content(files) == before.content


def files_of(case: BatchCase) -> tuple[Path, ...]:
    """The files a case consists of, by name: one image with its voxel file, or all files of its DICOM folder.

    One DICOM file stands for the series it belongs to, so all files beside it count.

    Raises:
        InputError: if there is no such file or folder.
    """
    if case.files:
        return tuple(sorted(case.files))
    if case.source.is_dir():
        return tuple(sorted(path for path in case.source.rglob("*") if path.is_file()))
    with _told(case):
        if looks_like_dicom(case.source):
            return tuple(sorted(path for path in case.source.parent.iterdir() if path.is_file()))
        return (case.source, *_voxel_files(case.source))


def _voxel_files(header: Path) -> tuple[Path, ...]:
    """The file beside a detached header that holds the voxels."""
    if header.suffix.lower() not in (".mhd", ".nhdr"):
        return ()
    with header.open("rb") as stream:
        named = _DATA_FILE.search(stream.read(_HEADER_BYTES))
    name = named.group(1).decode("utf-8", errors="replace").strip() if named else ""
    path = header.parent / name
    return (path,) if name and path.is_file() and path != header else ()


def _stamps(files: Sequence[Path]) -> tuple[int, int, str]:
    digest, size = hashlib.sha256(), 0
    for path in files:
        found = path.stat()
        size += found.st_size
        digest.update(f"{path}\t{found.st_size}\t{found.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return len(files), size, digest.hexdigest()


def _content(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _told(case: BatchCase) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        path = error.filename or case.source
        raise InputError(
            f"'{path}' could not be read: {error.strerror or error}.", advice="Check the path and the disk."
        ) from error
