"""One writer at a time in a case's folder, over all processes of all computers that share it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.files.file_lock import file_to_lock, take_lock

LOCK = "journal.lock"
_LONGEST_WAIT_S = 30.0
_PAUSE_S = 0.005


@contextmanager
def exclusive(folder: Path, *, longest_wait_s: float = _LONGEST_WAIT_S) -> Iterator[None]:
    """Hold the folder's lock inside the block; the operating system lets go of it when a process dies.

    Raises:
        StorageError: if somebody else holds it for longer than ``longest_wait_s`` seconds, or the lock file cannot be
            opened.
    """
    with file_to_lock(folder / LOCK) as handle:
        _wait_for(handle, folder, longest_wait_s)
        yield


def _wait_for(handle: int, folder: Path, longest_wait_s: float) -> None:
    last = time.monotonic() + longest_wait_s
    while not _taken_or_told(handle, folder):
        if time.monotonic() > last:
            raise StorageError(
                f"Another program has been writing into '{folder}' for {longest_wait_s:g} seconds.",
                advice="Wait until it is done, or end it, and try again.",
            )
        time.sleep(_PAUSE_S)


def _taken_or_told(handle: int, folder: Path) -> bool:
    try:
        return take_lock(handle)
    except OSError as error:
        raise StorageError(
            f"'{folder}' cannot be locked: {error.strerror}.",
            advice="Keep cases in a folder of a file system with file locks, such as one on this computer.",
        ) from error
