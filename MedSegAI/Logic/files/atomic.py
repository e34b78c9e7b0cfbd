"""Nothing half-written is left behind: write beside the target, then rename.

The temporary file keeps the target's name inside a private folder next to it, because some formats put their own
file's name inside themselves (the root folder of an ``.mrb``, the data file of an ``.mhd``).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from MedSegAI.Logic.errors import StorageError

_PREFIX = ".medsegai-writing-"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# numpy's array writer leaves out the error's number.
_FULL_SAYS_NUMPY = ("requested and", "Not enough free space")
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def write_beside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a path on the same disk and with the same name; move it to ``path`` once the block has ended well.

    Whatever ends the block early (an error, Ctrl-C, a cancelled run) removes the temporary file and leaves an older
    file at ``path`` untouched. A symbolic link is followed: the file it points to is replaced.

    Args:
        path: Where the finished file goes; its folder must exist.

    Raises:
        StorageError: if the folder is missing or not writable, ``path`` is a folder or a device, the disk is full, or
            the block wrote nothing.
    """
    with room_beside(path, refuse=_refuse_unusable_target) as (room, target):
        yield room / target.name
        _finish(room / target.name, target)


@contextmanager
def room_beside(path: str | os.PathLike[str], *, refuse: Callable[[Path], None]) -> Iterator[tuple[Path, Path]]:
    """Yield a private folder on the disk of ``path``, and where ``path`` leads; the folder goes when the block ends.

    Args:
        path: Where the finished file or folder goes; its folder must exist.
        refuse: Raises for a target that cannot be used.

    Raises:
        StorageError: for whatever the operating system refuses, in the block, too; and as ``refuse``.
    """
    target = Path(path).expanduser()
    try:
        target = target.resolve()
        refuse(target)
        room = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=target.parent))
    except OSError as error:
        raise storage_error(target, error) from error
    try:
        yield room, target
    except OSError as error:
        raise storage_error(target, error) from error
    finally:
        _remove(room)


def remove_left_over_rooms(folder: str | os.PathLike[str], *, older_than_seconds: float = 0.0) -> None:
    """Remove what killed programs had half written in a folder.

    Args:
        folder: The folder.
        older_than_seconds: What was begun later stays; at 0 nobody else may write into the folder.
    """
    for room in Path(folder).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - room.stat().st_mtime >= older_than_seconds:
                _remove(room)


def _remove(room: Path) -> None:
    """Remove the private folder, also where Ctrl-C comes in the middle of removing it."""
    try:
        shutil.rmtree(room, ignore_errors=True)
    except KeyboardInterrupt:
        shutil.rmtree(room, ignore_errors=True)
        raise


def storage_error(path: str | os.PathLike[str], error: OSError) -> StorageError:
    """The sentence for an operating system error met while writing ``path``."""
    name = f"'{path}'"
    error = _at_the_bottom(error)
    if error.errno in _FULL or (error.errno is None and any(text in str(error) for text in _FULL_SAYS_NUMPY)):
        return StorageError(
            f"{name} could not be written: the disk is full.", advice="Free some space or choose another folder."
        )
    if error.errno in _FORBIDDEN:
        return StorageError(
            f"{name} could not be written: no permission.", advice="Choose a folder that you may write to."
        )
    if error.errno == errno.ENAMETOOLONG:
        return StorageError(f"{name} could not be written: the name is too long.", advice="Choose a shorter name.")
    reason = error.strerror or str(error) or type(error).__name__
    return StorageError(f"{name} could not be written: {reason}.", advice="Choose another name or folder.")


def _at_the_bottom(error: OSError) -> OSError:
    """The system's own error: pydicom raises another of its kind from it, without a number and with a traceback."""
    while error.errno is None and isinstance(error.__cause__, OSError):
        error = error.__cause__
    return error


def make_folder(path: str | os.PathLike[str]) -> Path:
    """The folder ``path``, made with its parents where it does not exist yet.

    Raises:
        StorageError: if it cannot be made, or a file has that name.
    """
    folder = Path(path).expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise StorageError(f"'{folder}' is a file, not a folder.", advice="Choose another folder.") from error
    except OSError as error:
        raise storage_error(folder, error) from error
    return folder


def _refuse_unusable_target(target: Path) -> None:
    if target.is_dir():
        raise StorageError(
            f"'{target}' is a folder, so no file can be written there.", advice="Add a file name to the path."
        )
    if target.exists() and not target.is_file():
        raise StorageError(f"'{target}' is not an ordinary file.", advice="Choose a file name in an ordinary folder.")
    if not target.parent.is_dir():
        raise StorageError(
            f"'{target}' could not be written: there is no folder '{target.parent}'.",
            advice="Make the folder first, or choose one that exists.",
        )


def _finish(written: Path, target: Path) -> None:
    if not written.is_file():
        raise StorageError(f"Nothing was written for '{target}'.", advice="Check the disk and try again.")
    # A full network disk or quota may only show when the data is flushed, so before the old file is given up.
    with written.open("rb+") as handle:
        os.fsync(handle.fileno())
    written.replace(target)
