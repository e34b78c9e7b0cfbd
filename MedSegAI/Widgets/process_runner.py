"""The worker process under Qt's own process class, so that Slicer needs no Python thread to hear it.

Slicer's main loop holds the interpreter, so a thread that waits for the worker's lines would starve. Qt collects them
in its event loop instead, and they are taken out when the job is polled. No signal is connected: a process whose
callbacks hold it can keep Slicer from closing.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

import qt

from MedSegAI.Logic.errors import WorkerError
from MedSegAI.Logic.worker.busy_computer import sharing_environment
from MedSegAI.Logic.worker.protocol import Ready, ToParent, ToWorker, decode, encode
from MedSegAI.Logic.worker.runner import SubprocessRunner
from MedSegAI.Logic.worker.worker_process import (
    LOG_NAME,
    SECONDS_TO_TERMINATE,
    START,
    could_not_start,
    ended_early,
    was_killed,
    worker_arguments,
)

_SECONDS_TO_START = 1.0


def process_runner(*, python: str = sys.executable) -> SubprocessRunner:
    """A runner whose worker is a process of Qt's.

    Args:
        python: Interpreter for the worker; in Slicer ``PythonSlicer``.
    """
    return SubprocessRunner(QtProcess, python=python)


class QtProcess:
    """A started worker, see :class:`MedSegAI.Logic.worker.worker_process.WorkerProcess`.

    Args:
        folder: Private folder shared with it; its log is written there too.
        python: Interpreter to run it with.
        idle_seconds: Idle time after which it ends by itself.

    Raises:
        WorkerError: if the interpreter cannot be run.
    """

    def __init__(self, folder: Path, *, python: str = sys.executable, idle_seconds: float) -> None:
        self.log = folder / LOG_NAME
        self.ready: Ready | None = None
        self.started = time.monotonic()
        self._unfinished_line = b""
        self._events: deque[ToParent | WorkerError | None] = deque()
        self._stopped_at: float | None = None
        self._said_the_end = False
        self._process = qt.QProcess()
        environment = qt.QProcessEnvironment()
        for name, value in sharing_environment().items():
            environment.insert(name, value)
        self._process.setProcessEnvironment(environment)
        self._process.setWorkingDirectory(str(START.parent))
        self._process.setStandardErrorFile(str(self.log), qt.QIODevice.Append)
        self._process.start(python, worker_arguments(folder, idle_seconds=idle_seconds))
        if not self._process.waitForStarted(_milliseconds(_SECONDS_TO_START)) and not self._runs():
            raise could_not_start(python, self._process.errorString().rstrip("."))
        self._pid = int(self._process.processId())

    @property
    def pid(self) -> int:
        """Number of the process that was started; a launcher such as ``PythonSlicer`` has the worker as its child."""
        return self._pid

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended; kills one that was asked to end and has had its time."""
        if self._runs():
            self._process.waitForFinished(0)
        if not self._runs():
            return False
        if self._stopped_at is not None and time.monotonic() - self._stopped_at > SECONDS_TO_TERMINATE:
            self._signal_worker(getattr(signal, "SIGKILL", signal.SIGTERM))
            self._process.kill()
        return True

    def send(self, message: ToWorker) -> bool:
        """Write one line; False where the worker no longer reads."""
        return self._runs() and self._process.write(encode(message).encode("utf-8")) > 0

    def next_event(self, *, timeout: float) -> ToParent | WorkerError | None:
        """As :meth:`WorkerProcess.next_event`; Qt's event loop need not run meanwhile."""
        self._take_lines()
        if not self._events and self._runs():
            self._process.waitForReadyRead(_milliseconds(timeout))
            self._take_lines()
        if self._events:
            event = self._events.popleft()
            self.ready = event if isinstance(event, Ready) else self.ready
            return event
        if self._runs() or self._said_the_end:
            raise queue.Empty
        self._said_the_end = True
        return None

    def explain_end(self) -> WorkerError:
        """Why a process that has ended did so."""
        code = self._process.exitCode()
        if self._process.exitStatus() == qt.QProcess.CrashExit:
            # Where a process was killed, Qt gives the signal's number in place of an exit code.
            return was_killed(code if os.name == "posix" else None)
        return ended_early(code, self.log)

    @property
    def ended_well(self) -> bool:
        """Whether a process that has ended did so of its own accord, such as after its idle time."""
        return self._process.exitStatus() == qt.QProcess.NormalExit and self._process.exitCode() == 0

    def stop(self) -> None:
        """Ask the process to end; :attr:`is_alive` kills it when it is asked a second later."""
        if self._runs() and self._stopped_at is None:
            self._stopped_at = time.monotonic()
            self._signal_worker(signal.SIGTERM)
            self._process.terminate()

    def close(self) -> None:
        """Let the worker end by itself, and make sure within a few seconds that it is gone."""
        if not self._runs():
            return
        self._process.closeWriteChannel()
        if not self._process.waitForFinished(_milliseconds(SECONDS_TO_TERMINATE)):
            self.stop()
            self._process.waitForFinished(_milliseconds(SECONDS_TO_TERMINATE))
        while self.is_alive:
            self._process.waitForFinished(_milliseconds(SECONDS_TO_TERMINATE))

    def _runs(self) -> bool:
        return self._process.state() != qt.QProcess.NotRunning

    def _take_lines(self) -> None:
        came = self._process.readAllStandardOutput().data()
        *lines, self._unfinished_line = (self._unfinished_line + bytes(came)).split(b"\n")
        for line in lines:
            try:
                event = decode(line.decode("utf-8", errors="replace"))
            except WorkerError as error:
                event = error
            self._events.append(event)

    def _signal_worker(self, number: int) -> None:
        """Signal the worker itself, which outlives the launcher that it may have been started by."""
        if self.ready is not None and self.ready.process != self._pid:
            with suppress(OSError):
                os.kill(self.ready.process, number)


def _milliseconds(seconds: float) -> int:
    return round(1000 * seconds)
