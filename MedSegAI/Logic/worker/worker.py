"""The worker process: ``python -m MedSegAI.Logic.worker.worker --folder FOLDER --idle-seconds SECONDS``.

Long-lived, so that the model stays warm. The main thread computes, one job after the other; a second thread reads
lines, so that a cancel is seen between windows. The process ends when its standard input closes (the parent is gone)
or when it was idle for long, which frees its memory.
"""

from __future__ import annotations

import argparse
import logging
import os
import queue
import shutil
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from MedSegAI.Logic.errors import Cancelled, DeviceError, MedSegAIError, WorkerError
from MedSegAI.Logic.provenance import software_versions
from MedSegAI.Logic.worker.growing_parts import GrowingParts
from MedSegAI.Logic.worker.jobs import run_job
from MedSegAI.Logic.worker.kept_arrays import KEPT_FOLDER
from MedSegAI.Logic.worker.protocol import (
    PROTOCOL_VERSION,
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
    decode,
    encode,
)
from MedSegAI.Logic.worker.standard_streams import claim_standard_streams
from MedSegAI.Logic.worker.warm_models import WarmModels

ORPHAN_SECONDS = 2.0
"""How long a job may go on after the parent is gone, before the process ends without it."""
_SECONDS_BETWEEN_PROGRESS = 0.05

_log = logging.getLogger(__name__)


class Worker:
    """Reads jobs, does them, answers.

    Args:
        lines_in: The parent's lines.
        lines_out: Where the answers go, one line each.
        folder: The private folder shared with the parent; removed when the parent is gone.
        idle_seconds: Idle time after which :meth:`run` returns.
    """

    def __init__(self, lines_in: TextIO, lines_out: TextIO, *, folder: Path, idle_seconds: float) -> None:
        self._lines_in = lines_in
        self._lines_out = lines_out
        self._folder = folder
        self._idle_seconds = idle_seconds
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._cancelled: set[int] = set()
        self._parent_gone = threading.Event()
        self._models = WarmModels()
        self._writing = threading.Lock()

    def run(self) -> None:
        """Serve until the parent is gone or the idle time has passed."""
        self.say(Ready(PROTOCOL_VERSION, os.getpid(), software_versions()))
        threading.Thread(target=self._listen, name="reader", daemon=True).start()
        while True:
            try:
                job = self._jobs.get(timeout=self._idle_seconds)
            except queue.Empty:
                _log.info("Idle for %g s: leaving.", self._idle_seconds)
                # Patients' scans had better not lie there longer than they are of use.
                shutil.rmtree(self._folder / KEPT_FOLDER, ignore_errors=True)
                return
            if job is None:
                _log.info("The parent is gone: leaving.")
                shutil.rmtree(self._folder, ignore_errors=True)
                return
            self.say(self._answer(job))

    def say(self, message: ToParent) -> None:
        """Write one line; a parent that is gone is noticed by the reading thread."""
        try:
            with self._writing:
                self._lines_out.write(encode(message))
                self._lines_out.flush()
        except OSError:
            _log.info("Nobody hears: %s", message.type)

    def wants_to_stop(self, job: int) -> bool:
        """Whether the parent cancelled ``job`` or is gone."""
        return job in self._cancelled or self._parent_gone.is_set()

    def _answer(self, job: Job) -> ToParent:
        self.say(Accepted(job.job))
        try:
            show = GrowingParts(job.job, Path(job.folder), self.say) if job.in_parts else None
            values = run_job(job, models=self._models, reporter=_LineReporter(self, job.job), show=show)
            return Result(job.job, values)
        except Cancelled:
            return JobCancelled(job.job)
        except MedSegAIError as error:
            return Failed(job.job, error.kind, error.problem, error.advice)
        except MemoryError:
            _log.exception("Job %d ran out of memory.", job.job)
            return _failed(
                job.job, DeviceError("The computer's memory does not suffice.", advice="Close other programs.")
            )
        except Exception as error:
            _log.exception("Job %d failed.", job.job)
            return _failed(
                job.job,
                WorkerError(
                    f"The run failed in a way that was not foreseen ({type(error).__name__}: {error}).",
                    advice="Report it, with the worker's log.",
                ),
            )

    def _listen(self) -> None:
        for line in self._lines_in:
            try:
                self._hear(line)
            except WorkerError as error:
                self.say(_failed(None, error))
        self._parent_gone.set()
        self._jobs.put(None)
        time.sleep(ORPHAN_SECONDS)
        _log.warning("The parent is gone and a job does not stop: leaving without it.")
        shutil.rmtree(self._folder, ignore_errors=True)
        os._exit(1)

    def _hear(self, line: str) -> None:
        message = decode(line)
        if isinstance(message, Job):
            self._jobs.put(message)
        elif isinstance(message, Cancel):
            self._cancelled.add(message.job)
        else:
            raise WorkerError(
                f"A '{message.type}' line is for the parent, not for the worker.",
                advice="Send the worker jobs and cancels only.",
            )


class _LineReporter:
    """Turns the library's reports into lines."""

    def __init__(self, worker: Worker, job: int) -> None:
        self._worker = worker
        self._job = job
        self._last = 0.0

    def progress(self, done: int, total: int, stage: str) -> None:
        now = time.monotonic()
        if done == total or now - self._last >= _SECONDS_BETWEEN_PROGRESS:
            self._last = now
            self._worker.say(Progress(self._job, done, total, stage))

    def message(self, text: str) -> None:
        self._worker.say(Message(self._job, text))

    def cancelled(self) -> bool:
        return self._worker.wants_to_stop(self._job)


def _failed(job: int | None, error: MedSegAIError) -> Failed:
    return Failed(job, error.kind, error.problem, error.advice)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the worker on the process's standard streams."""
    parser = argparse.ArgumentParser(description="The process that computes for MedSegAI; started by it, not by hand.")
    parser.add_argument("--folder", type=Path, required=True, help="private folder for arrays, shared with the parent")
    parser.add_argument("--idle-seconds", type=float, required=True, help="leave when idle for so long")
    given = parser.parse_args(arguments)
    lines_in, lines_out = claim_standard_streams()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # Ctrl-C in a terminal reaches the whole group of processes; the parent decides what becomes of the job.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Worker(lines_in, lines_out, folder=given.folder, idle_seconds=given.idle_seconds).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
