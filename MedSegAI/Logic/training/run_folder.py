"""The folder of a run, in which one run at a time may write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.files.atomic import make_folder, remove_left_over_rooms
from MedSegAI.Logic.files.file_lock import file_to_lock, take_lock

CHECKPOINT_NAME = "last.pt"
BEST_NAME = "best.pt"
TABLE_NAME = "epochs.csv"
CONFIG_NAME = "config.yaml"
REPORT_NAME = "report.html"
EVENTS_NAME = "tensorboard"
_LOCK_NAME = ".running"


@contextmanager
def run_folder(path: Path) -> Iterator[Path]:
    """The folder, made where it is missing, held against a second run while the block lasts.

    What a killed run had half written is removed.

    Raises:
        StorageError: if the folder cannot be made, or another run writes there.
    """
    folder = make_folder(path)
    with file_to_lock(folder / _LOCK_NAME) as handle:
        free = True
        # Some network file systems know no locks; a run is better than none.
        with suppress(OSError):
            free = take_lock(handle)
        if not free:
            raise StorageError(
                f"Another run is writing into '{folder}'.", advice="Wait for it, stop it, or choose another folder."
            )
        remove_left_over_rooms(folder)
        yield folder
