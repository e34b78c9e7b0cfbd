"""Work under way, as a face sees it: polled from a timer, or waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from MedSegAI.Logic.errors import Cancelled, MedSegAIError

T = TypeVar("T")


class RunningJob(Protocol[T]):
    """Work under way. Its reporter is called from within :meth:`poll` and :meth:`wait`, on the caller's thread."""

    def poll(self, *, timeout: float = 0.0) -> bool:
        """Pass on what was reported since the last call, waiting up to ``timeout`` seconds; True once it has ended."""

    def cancel(self) -> None:
        """Ask to stop; the job then ends within a few seconds, as cancelled unless it was just done."""

    def result(self) -> T:
        """What an ended job gave.

        Raises:
            MedSegAIError: what the job ended with; Cancelled if it was cancelled.
        """

    def wait(self) -> T:
        """Poll until the end and return the result; an exception meanwhile (Ctrl-C) ends the job first."""


class InlineJob(Generic[T]):
    """Work done in this process, whole, in the first :meth:`poll` or :meth:`wait`."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work: Callable[[], T] | None = work
        self._value: T | None = None
        self._error: MedSegAIError | None = None

    def poll(self, *, timeout: float = 0.0) -> bool:
        """Do the work if it has not been done; always True."""
        if self._work is not None:
            work, self._work = self._work, None
            try:
                self._value = work()
            except MedSegAIError as error:
                self._error = error
        return True

    def cancel(self) -> None:
        """Do not begin; work that has begun asks its reporter."""
        if self._work is not None:
            self._work, self._error = None, Cancelled()

    def result(self) -> T:
        """As :meth:`RunningJob.result`."""
        if self._error is not None:
            raise self._error
        return self._value

    def wait(self) -> T:
        """Do the work and return its result."""
        self.poll()
        return self.result()
