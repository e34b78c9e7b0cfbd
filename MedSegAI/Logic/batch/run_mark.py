"""The file that says a batch is running: workers on any computer stop where it is gone.

It lies in the batch's folder, which all workers see. Stopping a batch takes it away, and so does the next batch in the
same folder: a worker whose batch was killed does not go on for long beside the new one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from MedSegAI.Logic.files.atomic import storage_error

_PREFIX = "running-"
_SECONDS_BETWEEN_LOOKS = 0.25


@contextmanager
def run_mark(folder: Path) -> Iterator[Path]:
    """Put a new mark into the folder and take it away at the end; those of earlier runs go first.

    Raises:
        StorageError: if it cannot be written.
    """
    for left_over in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            left_over.unlink()
    mark = folder / f"{_PREFIX}{secrets.token_hex(8)}"
    try:
        mark.touch()
    except OSError as error:
        raise storage_error(mark, error) from error
    try:
        yield mark
    finally:
        with suppress(OSError):
            mark.unlink(missing_ok=True)


class MarkReporter:
    """Asks the mark whether to stop, and keeps what is said.

    Args:
        mark: The batch's mark.
        stopped: Asked as well.
    """

    def __init__(self, mark: Path, *, stopped: Callable[[], bool] | None = None) -> None:
        self._mark = mark
        self._stopped = stopped
        self._there = True
        self._looked = 0.0
        self.messages: list[str] = []

    def progress(self, done: int, total: int, stage: str) -> None:
        """Ignored: a batch counts cases."""

    def message(self, text: str) -> None:
        """Keep a sentence."""
        self.messages.append(text)

    def cancelled(self) -> bool:
        """Whether the mark is gone, which is looked at a few times a second, or somebody else asked to stop."""
        now = time.monotonic()
        if self._there and now - self._looked >= _SECONDS_BETWEEN_LOOKS:
            self._looked = now
            self._there = self._mark.exists()
        return not self._there or (self._stopped is not None and self._stopped())
