"""One job in a worker process: a small state machine that :meth:`SubprocessJob.poll` drives."""

from __future__ import annotations

import contextlib
import queue
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from MedSegAI.Logic.errors import Cancelled, MedSegAIError, WorkerError, error_from_kind
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.worker.handover import Plain
from MedSegAI.Logic.worker.protocol import (
    Accepted,
    Cancel,
    Failed,
    Job,
    JobCancelled,
    Message,
    Progress,
    Ready,
    Result,
    ToParent,
    check_version,
)
from MedSegAI.Logic.worker.worker_process import WorkerProcess

T = TypeVar("T")

_SECONDS_BETWEEN_LOOKS = 0.05
"""How long waiting may take before the reporter is asked again whether to stop."""


class SubprocessJob(Generic[T]):
    """A job that a worker process does.

    Args:
        job: What to do; its folder is removed at the end.
        take: Turns the result's values into what the caller wants.
        reporter: Told what the worker reports; asked whether to stop.
        worker: Gives the worker's process, started if need be.
        startup_seconds: How long a new process may take until it is ready.
        cancel_seconds: How long a cancelled job may go on before its process is ended.
    """

    def __init__(
        self,
        job: Job,
        *,
        take: Callable[[Plain], T],
        reporter: Reporter,
        worker: Callable[[], WorkerProcess],
        startup_seconds: float,
        cancel_seconds: float,
    ) -> None:
        self._job = job
        self._take = take
        self._reporter = reporter
        self._worker = worker
        self._startup_seconds = startup_seconds
        self._cancel_seconds = cancel_seconds
        self._process = worker()
        self._sent = False
        self._accepted = False
        self._cancelled_at: float | None = None
        self._value: T | None = None
        self._error: MedSegAIError | None = None
        self._ended = False

    @property
    def ended(self) -> bool:
        """Whether :meth:`result` has an answer."""
        return self._ended

    def poll(self, *, timeout: float = 0.0) -> bool:
        """As :meth:`RunningJob.poll`; never blocks for longer than ``timeout``, save while a hung worker is ended."""
        deadline = time.monotonic() + timeout
        while not self._ended:
            if self._cancelled_at is None and self._reporter.cancelled():
                self.cancel()
            self._send_when_ready()
            left = min(deadline - time.monotonic(), _SECONDS_BETWEEN_LOOKS)
            try:
                self._handle(self._process.next_event(timeout=left))
            except queue.Empty:
                if time.monotonic() >= deadline:
                    break
            finally:
                self._look_at_the_clock()
        return self._ended

    def cancel(self) -> None:
        """Ask the worker to stop; :meth:`poll` ends its process if it does not listen."""
        if self._ended or self._cancelled_at is not None:
            return
        self._cancelled_at = time.monotonic()
        if self._sent:
            self._process.send(Cancel(self._job.job))
        else:
            self._end(error=Cancelled())

    def result(self) -> T:
        """As :meth:`RunningJob.result`."""
        if self._error is not None:
            raise self._error
        return self._value

    def wait(self) -> T:
        """As :meth:`RunningJob.wait`."""
        try:
            while not self.poll(timeout=_SECONDS_BETWEEN_LOOKS):
                pass
        except BaseException:
            self._abandon()
            raise
        return self.result()

    def _abandon(self) -> None:
        """The caller was interrupted and will not poll again: leave no worker busy with this job."""
        self.cancel()
        while not self._ended:
            with contextlib.suppress(queue.Empty):
                self._handle(self._process.next_event(timeout=_SECONDS_BETWEEN_LOOKS), silent=True)
            self._look_at_the_clock()

    def _send_when_ready(self) -> None:
        if self._ended or self._sent or self._process.ready is None:
            return
        # Where the worker has just left after its idle time, the end of its output says so next.
        self._sent = self._process.send(self._job)

    def _handle(self, event: ToParent | WorkerError | None, *, silent: bool = False) -> None:
        if event is None:
            self._worker_ended()
        elif isinstance(event, WorkerError):
            self._give_up(event)
        elif isinstance(event, Ready):
            self._check(event)
        elif event.job == self._job.job:
            self._hear(event, silent=silent)
        elif isinstance(event, Failed) and event.job is None:
            self._give_up(WorkerError(event.problem, advice=event.advice))

    def _check(self, ready: Ready) -> None:
        try:
            check_version(ready)
        except WorkerError as error:
            self._give_up(error)

    def _hear(self, event: ToParent, *, silent: bool) -> None:
        if isinstance(event, Accepted):
            self._accepted = True
        elif isinstance(event, Progress) and not silent:
            self._reporter.progress(event.done, event.total, event.stage)
        elif isinstance(event, Message) and not silent:
            self._reporter.message(event.text)
        elif isinstance(event, JobCancelled):
            self._end(error=Cancelled())
        elif isinstance(event, Failed):
            self._end(error=error_from_kind(event.kind, event.problem, advice=event.advice))
        elif isinstance(event, Result):
            self._finish(event.values)

    def _finish(self, values: Plain) -> None:
        try:
            self._end(value=self._take(values))
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._end(
                error=WorkerError(
                    f"The worker's result cannot be read: {type(error).__name__}: {error}.",
                    advice="Check that the disk for temporary files is not full, and run again.",
                )
            )

    def _worker_ended(self) -> None:
        if self._cancelled_at is not None:
            self._end(error=Cancelled())
        elif not self._accepted and self._process.ready is not None and self._process.ended_well:
            # It left after its idle time just as the job arrived.
            self._process, self._sent = self._worker(), False
        else:
            self._end(error=self._process.explain_end())

    def _look_at_the_clock(self) -> None:
        if self._ended:
            return
        now = time.monotonic()
        if self._cancelled_at is not None and now - self._cancelled_at > self._cancel_seconds:
            self._process.stop()
            self._end(error=Cancelled())
        elif self._process.ready is None and now - self._process.started > self._startup_seconds:
            self._give_up(
                WorkerError(
                    f"The worker was not ready within {self._startup_seconds:g} s.",
                    advice=f"Run again; if it happens again, look into its log '{self._process.log}'.",
                )
            )

    def _give_up(self, error: WorkerError) -> None:
        """The process cannot be trusted any more."""
        self._process.stop()
        self._end(error=error)

    def _end(self, *, value: T | None = None, error: MedSegAIError | None = None) -> None:
        self._value, self._error, self._ended = value, error, True
        shutil.rmtree(Path(self._job.folder), ignore_errors=True)
