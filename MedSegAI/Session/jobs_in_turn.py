"""Two jobs as one: what the first one finds is what the second one works on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from MedSegAI.Logic.errors import Cancelled
from MedSegAI.Logic.worker.running_job import RunningJob

A = TypeVar("A")
B = TypeVar("B")


class JobsInTurn(Generic[A, B]):
    """A job that goes on with another; polled as every :class:`RunningJob` is.

    Args:
        first: The first job, begun.
        then: Begins the second one with the first one's result.
    """

    def __init__(self, first: RunningJob[A], then: Callable[[A], RunningJob[B]]) -> None:
        self._first, self._then = first, then
        self._second: RunningJob[B] | None = None
        self._stopped = False

    def poll(self, *, timeout: float = 0.0) -> bool:
        """As :meth:`RunningJob.poll`.

        Raises:
            MedSegAIError: what the first job failed with, or why the second could not be begun.
            Cancelled: if it was stopped before the second began.
        """
        if self._second is None:
            if not self._first.poll(timeout=timeout):
                return False
            found = self._first.result()
            # Work that never asks whether to stop ends as if nobody had said so.
            if self._stopped:
                raise Cancelled()
            self._second = self._then(found)
        return self._second.poll(timeout=timeout)

    def cancel(self) -> None:
        """As :meth:`RunningJob.cancel`."""
        self._stopped = True
        (self._first if self._second is None else self._second).cancel()

    def result(self) -> B:
        """As :meth:`RunningJob.result`."""
        return self._second.result()
