"""The folder of a case's results: it is there with all its files, or not at all."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from MedSegAI.Logic.files.atomic import storage_error

CASES = "cases"
_UNFINISHED = "unfinished"


def case_folder(batch: Path, case: str) -> Path:
    """Where the results of a case lie in a batch's folder."""
    return batch / CASES / case


@contextmanager
def case_room(batch: Path, case: str) -> Iterator[Path]:
    """An empty folder that takes the place of the case's folder once the block has ended well.

    Until then earlier results of the case stay as they are; whatever ends the block early leaves nothing.

    Raises:
        StorageError: if it cannot be made or moved.
    """
    room = batch / _UNFINISHED / f"{case}-{secrets.token_hex(4)}"
    earlier = room.with_name(f"{room.name}-earlier")
    target = case_folder(batch, case)
    try:
        room.mkdir(parents=True)
        yield room
        target.parent.mkdir(exist_ok=True)
        if target.exists():
            target.rename(earlier)
        room.rename(target)
    except OSError as error:
        if earlier.exists() and not target.exists():
            earlier.rename(target)
        raise storage_error(target, error) from error
    finally:
        for left_over in (room, earlier):
            shutil.rmtree(left_over, ignore_errors=True)


def remove_unfinished(batch: Path) -> None:
    """Remove what workers that were killed left; only while no other batch works in the folder."""
    shutil.rmtree(batch / _UNFINISHED, ignore_errors=True)
