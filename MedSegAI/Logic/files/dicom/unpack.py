"""A zip with DICOM files, unpacked without trusting it."""

from __future__ import annotations

import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.atomic import make_folder, storage_error
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled

MOST_FILES = 20_000
MOST_BYTES = 8 << 30
MOST_TIMES_THE_ZIP = 200
ALWAYS_UNPACKED_BYTES = 1 << 30
_CHUNK = 1 << 20
_BEGINNING = b"PK\x03\x04"
_LIMITS = (
    f"At most {MOST_FILES} files of together {MOST_BYTES >> 30} GiB are unpacked, and beyond 1 GiB no more than "
    f"{MOST_TIMES_THE_ZIP} times the zip's own size; unpack it by hand instead."
)


def is_zip(path: Path) -> bool:
    """Whether a file is a zip, by its content; also where its end, which lists what it holds, is missing."""
    try:
        with path.open("rb") as opened:
            return zipfile.is_zipfile(opened) or _begins_like_a_zip(opened)
    except OSError:
        return False


def _begins_like_a_zip(opened: BinaryIO) -> bool:
    opened.seek(0)
    return opened.read(len(_BEGINNING)) == _BEGINNING


def unpack_zip(archive: Path, folder: Path, *, reporter: Reporter | None = None) -> Path:
    """Unpack the files of a zip, with their sub-folders, into ``folder``, which is made and must not exist.

    Nothing is written outside the folder, links are passed over, and at most 20 000 files of together 8 GiB are
    unpacked (beyond 1 GiB no more than 200 times the zip's own size), counted while they are written and not as the
    zip claims. Zips inside the zip stay packed.

    Returns:
        ``folder``. It is removed again when the unpacking fails.

    Raises:
        InputError: for a zip that is damaged, encrypted or too large, or names a file outside its folder.
        StorageError: if the disk is full or the folder cannot be made.
        Cancelled: if the reporter asked to stop.
    """
    make_folder(folder)
    try:
        with zipfile.ZipFile(archive) as opened:
            _unpack(opened, archive, folder, reporter or SilentReporter())
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, zipfile.BadZipFile | EOFError | NotImplementedError) or _is_zlib_error(error):
            raise InputError(f"'{archive}' is a damaged zip file.", advice="Copy or download it again.") from error
        if isinstance(error, OSError):
            raise storage_error(folder, error) from error
        raise
    return folder


def _unpack(opened: zipfile.ZipFile, archive: Path, folder: Path, reporter: Reporter) -> None:
    entries = [entry for entry in opened.infolist() if not entry.is_dir() and not _is_link(entry)]
    if len(entries) > MOST_FILES:
        raise InputError(f"'{archive}' holds {len(entries)} files.", advice=_LIMITS)
    left = _most_bytes(archive)
    for done, entry in enumerate(entries):
        raise_if_cancelled(reporter)
        reporter.progress(done, len(entries), "unpacking")
        if entry.flag_bits & 1:
            raise InputError(f"'{archive}' is encrypted.", advice="Unpack it with its password first.")
        target = _inside(folder, entry.filename, archive)
        target.parent.mkdir(parents=True, exist_ok=True)
        left -= _write(opened, entry, target, left, archive)
    reporter.progress(len(entries), len(entries), "unpacking")


def _most_bytes(archive: Path) -> int:
    # No scan packs to a two-hundredth; what claims to would fill the disk.
    return min(MOST_BYTES, max(ALWAYS_UNPACKED_BYTES, MOST_TIMES_THE_ZIP * archive.stat().st_size))


def _inside(folder: Path, name: str, archive: Path) -> Path:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or ".." in parts or parts[0].startswith("/") or ":" in parts[0]:
        raise InputError(
            f"'{archive}' names a file outside its own folder ('{name}').", advice="Do not trust it; ask who made it."
        )
    return folder.joinpath(*parts)


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int, archive: Path) -> int:
    written = 0
    # "x": two entries of one name would make the second replace the first.
    try:
        stream = target.open("xb")
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise InputError(
            f"'{archive}' holds the file '{entry.filename}' twice.", advice="Unpack it by hand instead."
        ) from error
    with opened.open(entry) as source, stream:
        while chunk := source.read(_CHUNK):
            written += len(chunk)
            if written > left:
                raise InputError(f"'{archive}' is larger than can be unpacked.", advice=_LIMITS)
            stream.write(chunk)
    target.chmod(0o600)
    return written


def _is_zlib_error(error: BaseException) -> bool:
    import zlib

    return isinstance(error, zlib.error)
