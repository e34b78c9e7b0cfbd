"""A folder of results that appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.files.atomic import room_beside


@contextmanager
def new_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield an empty folder on the same disk; give it the name ``path`` once the block has ended well.

    Whatever ends the block early (an error, Ctrl-C, a cancelled run) removes it with all that it holds.

    Args:
        path: Must not exist, or be an empty folder; its parent must exist.

    Raises:
        StorageError: if ``path`` holds something or is a file, its parent is missing, or it cannot be written.
    """
    with room_beside(path, refuse=refuse_used) as (room, target):
        made = room / target.name
        made.mkdir()
        yield made
        made.replace(target)


def refuse_used(path: str | os.PathLike[str]) -> None:
    """Raise :class:`StorageError` where :func:`new_folder` would: to be asked before long work."""
    target = Path(path).expanduser()
    if target.exists() and not target.is_dir():
        raise StorageError(f"'{target}' is a file, not a folder.", advice="Choose another folder.")
    if target.is_dir() and any(target.iterdir()):
        raise StorageError(
            f"The folder '{target}' holds something already.", advice="Choose a new folder or an empty one."
        )
    if not target.exists() and not target.absolute().parent.is_dir():
        raise StorageError(
            f"'{target}' could not be written: there is no folder '{target.absolute().parent}'.",
            advice="Make the folder first, or choose one that exists.",
        )
