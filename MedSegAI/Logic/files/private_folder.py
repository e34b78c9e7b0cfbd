"""A folder for what must not outlive the work it is for, such as a patient's scans out of a zip."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from MedSegAI.Logic.files.file_lock import take_lock

_PREFIX = "medsegai-private-"
_LOCK = "in-use"
# Long enough for anybody to lock the file that was just made.
_NEW_SECONDS = 60.0


@contextmanager
def private_folder() -> Iterator[Path]:
    """An empty folder that only this user may read, removed with all it holds when the block ends.

    What a killed process left is removed the next time that anybody asks for such a folder: the lock in it says whether
    somebody still works there.

    Raises:
        OSError: if it cannot be made.
    """
    _remove_what_was_left(Path(tempfile.gettempdir()))
    with (
        tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as room,
        (Path(room) / _LOCK).open("wb") as lock,
    ):
        _is_locked(lock.fileno())
        folder = Path(room) / "content"
        folder.mkdir()
        yield folder


def _remove_what_was_left(parent: Path) -> None:
    for room in parent.glob(f"{_PREFIX}*"):
        try:
            if time.time() - (room / _LOCK).stat().st_mtime < _NEW_SECONDS:
                continue
            with (room / _LOCK).open("rb+") as lock:
                nobody_works_there = _is_locked(lock.fileno())
        except OSError:
            # Another user's, or removed by another process at this moment.
            continue
        if nobody_works_there:
            shutil.rmtree(room, ignore_errors=True)


def _is_locked(handle: int) -> bool:
    """Whether the file is locked by us now; False also where the file system knows no locks."""
    try:
        return take_lock(handle)
    except OSError:
        return False
