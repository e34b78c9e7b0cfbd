"""A job on a thread of this process: for work of a second or two that needs no network, such as fusing raters."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Generic, TypeVar

from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.worker.background_task import AskToStop, BackgroundTask

T = TypeVar("T")

_SECONDS_BETWEEN_LOOKS = 0.05


class ThreadJob(Generic[T]):
    """Work on another thread, polled as every :class:`RunningJob` is; its reporter is called on the caller's thread.

    Args:
        work: Computes; is given a reporter of its own, and touches neither scene nor window.
        reporter: Told from within :meth:`poll` what the work reported.
        name: Name of the thread.
    """

    def __init__(self, work: Callable[[Reporter], T], *, reporter: Reporter, name: str) -> None:
        self._reporter = reporter
        self._told: queue.SimpleQueue[Callable[[Reporter], None]] = queue.SimpleQueue()
        self._task = BackgroundTask(lambda stop: work(_QueuedReporter(self._told, stop)), name=name)

    def poll(self, *, timeout: float = 0.0) -> bool:
        """As :meth:`RunningJob.poll`."""
        if self._reporter.cancelled():
            self._task.stop()
        ended = self._task.wait(timeout=timeout)
        while not self._told.empty():
            self._told.get()(self._reporter)
        return ended

    def cancel(self) -> None:
        """Ask to stop; work that does not ask for it ends as if nothing had been said."""
        self._task.stop()

    def result(self) -> T:
        """As :meth:`RunningJob.result`."""
        return self._task.result()

    def wait(self) -> T:
        """As :meth:`RunningJob.wait`."""
        try:
            while not self.poll(timeout=_SECONDS_BETWEEN_LOOKS):
                pass
        except BaseException:
            self.cancel()
            raise
        return self.result()


class _QueuedReporter:
    """Keeps what is reported on the working thread until the caller's thread asks for it."""

    def __init__(self, told: queue.SimpleQueue[Callable[[Reporter], None]], stop: AskToStop) -> None:
        self._told, self._stop = told, stop

    def progress(self, done: int, total: int, stage: str) -> None:
        self._told.put(lambda reporter: reporter.progress(done, total, stage))

    def message(self, text: str) -> None:
        self._told.put(lambda reporter: reporter.message(text))

    def cancelled(self) -> bool:
        return self._stop()
