"""One job in a worker process: a small state machine that :meth:`SubprocessJob.poll` drives.

A job is prepared (its arrays are written), sent and heard; at its end its result is read and its folder removed. Files
are written, read and removed on other threads, and nobody waits for a process that must be ended: no step takes long.
"""

from __future__ import annotations

import queue
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from MedSegAI.Logic.errors import Cancelled, MedSegAIError, WorkerError, error_from_kind
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.worker.background_task import AskToStop, BackgroundTask
from MedSegAI.Logic.worker.growing_parts import show_part
from MedSegAI.Logic.worker.kept_arrays import KeptArrays
from MedSegAI.Logic.worker.protocol import (
    Accepted,
    Cancel,
    Failed,
    Job,
    JobCancelled,
    Message,
    Part,
    Progress,
    Ready,
    Result,
    ToParent,
    check_version,
)
from MedSegAI.Logic.worker.tasks.task import Task
from MedSegAI.Logic.worker.worker_process import WorkerProcess, unforeseen

T = TypeVar("T")

_SECONDS_BETWEEN_LOOKS = 0.05
"""How long waiting may take before the reporter is asked again whether to stop."""
_SECONDS_OF_LISTENING = 0.01
"""How long a poll goes on beyond its time while the worker keeps talking."""
_SECONDS_FOR_THREADS = 0.002
"""How long a poll waits at least while files are written or read: in Slicer other threads run only then."""


class SubprocessJob(Generic[T]):
    """A job that a worker process does.

    Args:
        number: Number of the job, the worker's next.
        task: What to do; it is handed over, and its result taken back, on another thread.
        folder: The job's own folder, which exists and is removed at the end.
        reporter: Told what the worker reports; asked whether to stop.
        worker: Gives the worker's process, started if need be.
        kept: Scans handed over before.
        startup_seconds: How long a new process may take until it is ready.
        cancel_seconds: How long a cancelled job may go on before its process is ended.

    Raises:
        WorkerError: if the worker cannot be started.
    """

    def __init__(
        self,
        number: int,
        task: Task[T],
        folder: Path,
        *,
        reporter: Reporter,
        worker: Callable[[], WorkerProcess],
        kept: KeptArrays,
        startup_seconds: float,
        cancel_seconds: float,
    ) -> None:
        self._number, self._begun = number, time.monotonic()
        self._folder = folder
        self._take, self._show = task.take_back, task.show
        self._reporter = reporter
        self._worker = worker
        self._startup_seconds = startup_seconds
        self._cancel_seconds = cancel_seconds
        self._process = worker()
        self._preparing = BackgroundTask(
            lambda stopped: Job(
                number, task.kind, str(folder), task.hand_over(folder, stopped, kept=kept), task.show is not None
            ),
            name="writing for the worker",
        )
        self._leaving: BackgroundTask[T] | None = None
        self._stopping_for: MedSegAIError | None = None
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

    @property
    def preparing(self) -> BackgroundTask[Job]:
        """The writing of the job's arrays."""
        return self._preparing

    def poll(self, *, timeout: float = 0.0) -> bool:
        """As :meth:`RunningJob.poll`; blocks for no more than some hundredths of a second beyond ``timeout``."""
        deadline = time.monotonic() + timeout
        while not self._ended:
            if self._cancelled_at is None and self._reporter.cancelled():
                self.cancel()
            left = deadline - time.monotonic()
            something = self._step(min(max(left, 0.0), _SECONDS_BETWEEN_LOOKS))
            if time.monotonic() >= deadline + (_SECONDS_OF_LISTENING if something else 0.0):
                break
        return self._ended

    def cancel(self) -> None:
        """Ask the worker to stop; :meth:`poll` ends its process if it does not listen."""
        if self._ended or self._cancelled_at is not None:
            return
        self._cancelled_at = time.monotonic()
        if self._leaving is not None or self._stopping_for is not None:
            return
        if self._sent:
            self._process.send(Cancel(self._number))
        else:
            self._fail(Cancelled())

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

    def leave(self) -> None:
        """End the job as cancelled at once, because its worker is being closed; waits for its files alone."""
        if self._ended:
            return
        if self._leaving is None:
            self._fail(Cancelled())
        self._leaving.wait()
        self._error, self._ended = Cancelled(), True

    def _abandon(self) -> None:
        """The caller was interrupted and will not poll again: leave no worker busy with this job."""
        self.cancel()
        while not self._ended:
            self._step(_SECONDS_BETWEEN_LOOKS, silent=True)

    def _step(self, seconds: float, *, silent: bool = False) -> bool:
        """Look once for news, for up to ``seconds``; whether there were any."""
        if self._leaving is not None:
            return self._see_whether_left(seconds)
        prepared = self._stopping_for is not None or self._send_when_ready(seconds)
        if self._leaving is not None:
            return True
        try:
            event = self._process.next_event(timeout=seconds if prepared else 0.0)
        except queue.Empty:
            return False
        else:
            if self._stopping_for is None:
                self._handle(event, silent=silent)
            return True
        finally:
            self._look_at_the_clock()

    def _send_when_ready(self, seconds: float) -> bool:
        """Send the job once it is prepared and the worker is there; False while it is being prepared."""
        if self._sent:
            return True
        if not self._preparing.wait(timeout=max(seconds, _SECONDS_FOR_THREADS)):
            return False
        try:
            job = self._preparing.result()
        except MedSegAIError as error:
            self._fail(error)
        except Exception as error:
            self._fail(unforeseen("The scan cannot be handed to the worker", error))
        else:
            # Where the worker has just left after its idle time, the end of its output says so next.
            self._sent = self._process.ready is not None and self._process.send(job)
        return True

    def _handle(self, event: ToParent | WorkerError | None, *, silent: bool) -> None:
        if event is None:
            self._worker_ended()
        elif isinstance(event, WorkerError):
            self._stop_worker(event)
        elif isinstance(event, Ready):
            self._check(event)
        elif event.job == self._number:
            self._hear(event, silent=silent)
        elif isinstance(event, Failed) and event.job is None:
            self._stop_worker(WorkerError(event.problem, advice=event.advice))

    def _check(self, ready: Ready) -> None:
        try:
            check_version(ready)
        except WorkerError as error:
            self._stop_worker(error)

    def _hear(self, event: ToParent, *, silent: bool) -> None:
        if isinstance(event, Accepted):
            self._accepted = True
        elif isinstance(event, Progress) and not silent:
            self._reporter.progress(event.done, event.total, event.stage)
        elif isinstance(event, Message) and not silent:
            self._reporter.message(event.text)
        elif isinstance(event, Part):
            show_part(event, None if silent or self._cancelled_at is not None else self._show)
        elif isinstance(event, JobCancelled):
            self._fail(Cancelled())
        elif isinstance(event, Failed):
            self._fail(error_from_kind(event.kind, event.problem, advice=event.advice))
        elif isinstance(event, Result):
            self._leave_with(lambda: self._take(event.values))

    def _worker_ended(self) -> None:
        if self._cancelled_at is not None:
            self._fail(Cancelled())
        elif not self._accepted and self._process.ready is not None and self._process.ended_well:
            # It left after its idle time just as the job arrived.
            try:
                self._process, self._sent = self._worker(), False
            except MedSegAIError as error:
                self._fail(error)
        else:
            self._fail(self._process.explain_end())

    def _look_at_the_clock(self) -> None:
        if self._leaving is not None:
            return
        now = time.monotonic()
        if self._stopping_for is not None:
            if not self._process.is_alive:
                self._fail(self._stopping_for)
        elif self._cancelled_at is not None and now - self._cancelled_at > self._cancel_seconds:
            self._stop_worker(Cancelled())
        elif self._process.ready is None and now - max(self._process.started, self._begun) > self._startup_seconds:
            self._stop_worker(
                WorkerError(
                    f"The worker was not ready within {self._startup_seconds:g} s.",
                    advice=f"Run again; if it happens again, look into its log '{self._process.log}'.",
                )
            )

    def _stop_worker(self, error: MedSegAIError) -> None:
        """The process cannot be trusted any more: end the job with ``error`` as soon as it is gone."""
        self._stopping_for = error
        self._process.stop()

    def _fail(self, error: MedSegAIError) -> None:
        def give_nothing() -> T:
            raise error

        self._leave_with(give_nothing)

    def _leave_with(self, take: Callable[[], T]) -> None:
        """Begin the job's end: take the result, and remove the folder when nobody writes there any more."""
        preparing, folder = self._preparing, self._folder

        def leave(_stopped: AskToStop) -> T:
            preparing.wait()
            try:
                return take()
            finally:
                shutil.rmtree(folder, ignore_errors=True)

        preparing.stop()
        self._leaving = BackgroundTask(leave, name="reading from the worker")

    def _see_whether_left(self, seconds: float) -> bool:
        if not self._leaving.wait(timeout=max(seconds, _SECONDS_FOR_THREADS)):
            return False
        try:
            self._value = self._leaving.result()
        except MedSegAIError as error:
            self._error = error
        except Exception as error:
            self._error = unforeseen("The worker's result cannot be read", error)
        self._ended = True
        return True
