"""A lock that the operating system lets go of when its holder dies, over all processes that share the file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from MedSegAI.Logic.files.atomic import storage_error


@contextmanager
def file_to_lock(path: Path) -> Iterator[int]:
    """A descriptor of the file, made where it is missing, for :func:`take_lock`; closed when the block ends.

    Raises:
        StorageError: if it cannot be opened.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise storage_error(path, error) from error
    try:
        yield handle
    finally:
        os.close(handle)


def take_lock(handle: int) -> bool:
    """Try once to lock an open file; the lock goes when ``handle`` is closed, however its process ends.

    Args:
        handle: Descriptor of a file opened for writing.

    Returns:
        Whether it is locked now; False where somebody else holds it.

    Raises:
        OSError: if the file system knows no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
