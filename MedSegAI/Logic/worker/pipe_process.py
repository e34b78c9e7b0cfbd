"""A worker process started with Python's own subprocess module; a thread collects its lines."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

from MedSegAI.Logic.errors import WorkerError
from MedSegAI.Logic.worker.busy_computer import sharing_environment
from MedSegAI.Logic.worker.protocol import Ready, ToParent, ToWorker, decode, encode
from MedSegAI.Logic.worker.worker_process import (
    LOG_NAME,
    SECONDS_TO_TERMINATE,
    START,
    could_not_start,
    ended_early,
    was_killed,
    worker_arguments,
)

_SECONDS_WITHOUT_OUTPUT = 5.0
"""How long a process may live on after it has closed its output."""


class PipeProcess:
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
        self._events: queue.Queue[ToParent | WorkerError | None] = queue.Queue()
        self._ending: threading.Thread | None = None
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [python, *worker_arguments(folder, idle_seconds=idle_seconds)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    encoding="utf-8",
                    errors="replace",
                    cwd=START.parent,
                    env=sharing_environment(),
                    start_new_session=True,
                )
        except OSError as error:
            raise could_not_start(python, error.strerror) from error
        self._reading = threading.Thread(target=self._collect, name="worker lines", daemon=True)
        self._reading.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process, or a child that is being ended with it, has not ended."""
        if self._ending is not None:
            return self._ending.is_alive()
        return self._process.poll() is None

    def send(self, message: ToWorker) -> bool:
        """Write one line; False where the worker no longer reads."""
        try:
            self._process.stdin.write(encode(message))
            self._process.stdin.flush()
        except (OSError, ValueError):
            return False
        return True

    def next_event(self, *, timeout: float) -> ToParent | WorkerError | None:
        """As :meth:`WorkerProcess.next_event`."""
        event = self._events.get(timeout=timeout) if timeout > 0 else self._events.get_nowait()
        if isinstance(event, Ready):
            self.ready = event
        return event

    def explain_end(self) -> WorkerError:
        """Why a process that has ended did so."""
        code = self._process.wait()
        return was_killed(-code) if code < 0 else ended_early(code, self.log)

    @property
    def ended_well(self) -> bool:
        """Whether a process that has ended did so of its own accord, such as after its idle time."""
        return self._process.wait() == 0

    def stop(self) -> None:
        """Begin to end the process and its children, on a thread of its own."""
        if self.is_alive and self._ending is None:
            self._ending = threading.Thread(target=self._end, name="ending a worker", daemon=True)
            self._ending.start()

    def close(self) -> None:
        """Let the worker end by itself, and make sure within a few seconds that it and its children are gone."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        if self._ending is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(SECONDS_TO_TERMINATE)
        self.stop()
        if self._ending is not None:
            self._ending.join()
        self._reading.join(SECONDS_TO_TERMINATE)
        if not self._reading.is_alive():
            self._process.stdout.close()

    def _collect(self) -> None:
        for line in self._process.stdout:
            try:
                self._events.put(decode(line))
            except WorkerError as error:
                self._events.put(error)
        # The end is announced only when it can be explained without waiting.
        try:
            self._process.wait(_SECONDS_WITHOUT_OUTPUT)
        except subprocess.TimeoutExpired:
            self.stop()
            self._process.wait()
        self._events.put(None)

    def _end(self) -> None:
        import psutil

        tree = []
        with contextlib.suppress(psutil.NoSuchProcess):
            worker = psutil.Process(self.pid)
            tree = [worker, *worker.children(recursive=True)]
        for each in (psutil.Process.terminate, psutil.Process.kill):
            for process in tree:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each(process)
            # The worker itself is waited for by its own object, which else would never learn its exit code.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(SECONDS_TO_TERMINATE)
            _, left = psutil.wait_procs(tree[1:], timeout=SECONDS_TO_TERMINATE)
            tree = [*tree[:1], *left]
        self._process.wait()
