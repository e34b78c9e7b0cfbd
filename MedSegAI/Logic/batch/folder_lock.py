"""One batch at a time in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.files.file_lock import file_to_lock, take_lock

LOCK_NAME = "batch.lock"


@contextmanager
def only_batch_in(folder: Path) -> Iterator[None]:
    """Hold a batch's folder inside the block; the operating system lets go of it when the process dies.

    Raises:
        StorageError: if another batch holds it, or it cannot be locked.
    """
    with file_to_lock(folder / LOCK_NAME) as handle:
        _take(handle, folder)
        yield


def _take(handle: int, folder: Path) -> None:
    try:
        taken = take_lock(handle)
    except OSError as error:
        raise StorageError(
            f"'{folder}' cannot be locked: {error.strerror}.",
            advice="Choose a folder of a file system with file locks, such as one on this computer.",
        ) from error
    if not taken:
        raise StorageError(
            f"Another batch is writing into '{folder}'.",
            advice="Wait until it is done, or choose another folder.",
        )
