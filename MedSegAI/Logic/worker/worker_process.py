"""What the parent needs of a started worker process, whatever starts it: Python's own subprocess, or Qt in Slicer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from MedSegAI.Logic.errors import WorkerError
from MedSegAI.Logic.worker.protocol import Ready, ToParent, ToWorker

START = Path(__file__).resolve().with_name("start_worker.py")
LOG_NAME = "worker.log"
SECONDS_TO_TERMINATE = 1.0
"""How long a process may take to end once it was asked to, before it is killed."""
_LAST_BYTES = 4096


class WorkerProcess(Protocol):
    """A started worker. No method but :meth:`close` makes its caller wait for the process.

    Args:
        log: File that holds what the process wrote to its standard error.
        ready: The worker's first message, None until :meth:`next_event` gave it.
        started: When the process was started, seconds of ``time.monotonic``.
    """

    log: Path
    ready: Ready | None
    started: float

    @property
    def pid(self) -> int:
        """Number of the process that was started."""

    @property
    def is_alive(self) -> bool:
        """Whether the process, or a child that is being ended with it, has not ended."""

    def send(self, message: ToWorker) -> bool:
        """Write one line; False where the worker no longer reads."""

    def next_event(self, *, timeout: float) -> ToParent | WorkerError | None:
        """The worker's next message, a WorkerError for a line not understood, None once the process has ended.

        Raises:
            queue.Empty: if nothing came within ``timeout`` seconds.
        """

    def explain_end(self) -> WorkerError:
        """Why a process that has ended did so."""

    @property
    def ended_well(self) -> bool:
        """Whether a process that has ended did so of its own accord, such as after its idle time."""

    def stop(self) -> None:
        """Begin to end the process and its children: terminated now, killed if still there after a second."""

    def close(self) -> None:
        """Let the worker end by itself; wait up to a few seconds and make sure that it is gone."""


StartProcess = Callable[..., WorkerProcess]
"""``start(folder, python=..., idle_seconds=...)`` starts a worker; raises WorkerError where it cannot.

``folder`` is the private folder shared with the worker, where its log is written, too; ``python`` the interpreter to
run it with; ``idle_seconds`` the idle time after which it ends by itself.
"""


def worker_arguments(folder: Path, *, idle_seconds: float) -> list[str]:
    """What the interpreter is given to run the worker."""
    return [str(START), "--folder", str(folder), "--idle-seconds", str(idle_seconds)]


def could_not_start(python: str, why: str) -> WorkerError:
    """The sentence for an interpreter that cannot be run."""
    return WorkerError(
        f"The worker could not be started with '{python}': {why}.",
        advice="Check that this Python interpreter exists and may be run.",
    )


def was_killed(signal_number: int | None) -> WorkerError:
    """The sentence for a process that did not end by itself; ``signal_number`` None where it is not known."""
    how = "" if signal_number is None else f" (signal {signal_number})"
    return WorkerError(
        f"The worker process was killed{how} before it had finished.",
        advice="Most often the computer's memory ran out: close other programs or choose a smaller region, "
        "then run again; a new worker starts by itself.",
    )


def ended_early(code: int, log: Path) -> WorkerError:
    """The sentence for a process that ended by itself with exit code ``code``, with the last line of its log."""
    return WorkerError(
        f"The worker process ended (exit code {code}) before it had finished{_last_words(log)}.",
        advice="Run again; a new worker starts by itself.",
    )


def unforeseen(problem: str, error: Exception) -> WorkerError:
    """The sentence for what nobody foresaw."""
    return WorkerError(
        f"{problem}: {type(error).__name__}: {error}.",
        advice="Check that the disk for temporary files is not full, and run again.",
    )


def _last_words(log: Path) -> str:
    lines = []
    with suppress(OSError), log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _LAST_BYTES))
        lines = stream.read().decode("utf-8", errors="replace").strip().splitlines()
    return f": {lines[-1].strip().rstrip('.')}" if lines else ""
