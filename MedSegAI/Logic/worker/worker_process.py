"""The parent's end of one worker process: start it, write lines, collect its lines, make sure it is gone."""

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

START = Path(__file__).resolve().with_name("start_worker.py")

LOG_NAME = "worker.log"
_SECONDS_TO_TERMINATE = 1.0


class WorkerProcess:
    """A started worker.

    Args:
        folder: Private folder shared with it; its log is written there too.
        python: Interpreter to run it with.
        idle_seconds: Idle time after which it ends by itself.
    """

    def __init__(self, folder: Path, *, python: str = sys.executable, idle_seconds: float) -> None:
        self.log = folder / LOG_NAME
        self.ready: Ready | None = None
        self.started = time.monotonic()
        self._events: queue.Queue[ToParent | WorkerError | None] = queue.Queue()
        command = [python, str(START), "--folder", str(folder), "--idle-seconds", str(idle_seconds)]
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    command,
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
            raise WorkerError(
                f"The worker could not be started with '{python}': {error.strerror}.",
                advice="Check that this Python interpreter exists and may be run.",
            ) from error
        threading.Thread(target=self._collect, name="worker lines", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended."""
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
        """The worker's next message, a WorkerError for a line not understood, None when its output has ended.

        Raises:
            queue.Empty: if nothing came within ``timeout`` seconds.
        """
        event = self._events.get(timeout=timeout) if timeout > 0 else self._events.get_nowait()
        if isinstance(event, Ready):
            self.ready = event
        return event

    def explain_end(self) -> WorkerError:
        """Wait for the process to end and say why it did."""
        code = self._process.wait()
        if code < 0:
            return WorkerError(
                f"The worker process was killed (signal {-code}) before it had finished.",
                advice="Most often the computer's memory ran out: close other programs or choose a smaller region, "
                "then run again; a new worker starts by itself.",
            )
        return WorkerError(
            f"The worker process ended (exit code {code}) before it had finished{self._last_words()}.",
            advice="Run again; a new worker starts by itself.",
        )

    @property
    def ended_well(self) -> bool:
        """Wait for the process to end; whether it ended of its own accord, such as after its idle time."""
        return self._process.wait() == 0

    def close(self, *, seconds: float = _SECONDS_TO_TERMINATE) -> None:
        """Let the worker end by itself, and make sure within a few seconds that it and its children are gone."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
        self._process.stdout.close()

    def stop(self) -> None:
        """Terminate the process and its children, and kill what is left after a second."""
        import psutil

        # The number of a process that has been waited for may be another's by now.
        if not self.is_alive:
            return
        worker = psutil.Process(self.pid)
        tree = [worker, *worker.children(recursive=True)]
        for each in (psutil.Process.terminate, psutil.Process.kill):
            for process in tree:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each(process)
            _, tree = psutil.wait_procs(tree, timeout=_SECONDS_TO_TERMINATE)
        self._process.wait()

    def _collect(self) -> None:
        # Closing the pipe from another thread ends the loop with a ValueError.
        with contextlib.suppress(ValueError):
            for line in self._process.stdout:
                try:
                    self._events.put(decode(line))
                except WorkerError as error:
                    self._events.put(error)
        self._events.put(None)

    def _last_words(self) -> str:
        lines = []
        with contextlib.suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f": {lines[-1].strip().rstrip('.')}" if lines else ""
