"""Ctrl-C and a polite kill (SIGTERM) stop the command the same way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from MedSegAI.CommandLine.progress import ConsoleReporter


@contextmanager
def stop_on_signals(reporter: ConsoleReporter) -> Iterator[None]:
    """While the block runs, SIGINT and SIGTERM mark ``reporter`` as cancelled and raise KeyboardInterrupt.

    Both are needed: the exception ends waiting and pure Python work at once; the mark is seen between windows where
    an exception was swallowed (inside a callback of a C++ library).
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        reporter.cancel()
        raise KeyboardInterrupt

    earlier = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
