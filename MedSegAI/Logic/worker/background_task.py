"""Work on a thread of its own, for what would keep a face's main thread waiting: reading and writing large files."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

AskToStop = Callable[[], bool]
"""Whether work should be given up; asked between its steps."""


class BackgroundTask(Generic[T]):
    """Work that has begun on another thread; its end is looked for, nobody is called back.

    In Slicer other threads run only while the main thread waits inside Python, so :meth:`wait` is what lets it go on.

    Args:
        work: What to do; it is handed a function to ask whether to stop, and raises what :meth:`result` then raises.
        name: Name of the thread.
    """

    def __init__(self, work: Callable[[AskToStop], T], *, name: str) -> None:
        self._value: T | None = None
        self._error: BaseException | None = None
        self._stop = threading.Event()
        self._ended = threading.Event()
        # The work goes along as an argument, so that what it holds is let go with the thread.
        threading.Thread(target=self._run, args=(work,), name=name, daemon=True).start()

    def stop(self) -> None:
        """Ask the work to stop; returns at once."""
        self._stop.set()

    def wait(self, *, timeout: float | None = None) -> bool:
        """Wait up to ``timeout`` seconds (None: for ever); whether the work has ended."""
        return self._ended.wait(timeout)

    def result(self) -> T:
        """What ended work gave.

        Raises:
            BaseException: whatever the work raised.
        """
        if self._error is not None:
            raise self._error
        return self._value

    def _run(self, work: Callable[[AskToStop], T]) -> None:
        try:
            self._value = work(self._stop.is_set)
        except BaseException as error:
            self._error = error
        self._ended.set()
