"""Who computes for a face: the same calls run in this process or in a worker process."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import shutil
import sys
import tempfile
import weakref
from pathlib import Path
from typing import TypeVar

from MedSegAI.Logic.errors import MedSegAIError, WorkerError
from MedSegAI.Logic.files.atomic import make_folder, storage_error
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Volume
from MedSegAI.Logic.worker.array_files import never
from MedSegAI.Logic.worker.background_task import BackgroundTask
from MedSegAI.Logic.worker.kept_arrays import KEPT_FOLDER, KeptArrays
from MedSegAI.Logic.worker.pipe_process import PipeProcess
from MedSegAI.Logic.worker.protocol import Job
from MedSegAI.Logic.worker.runner_interface import Runner
from MedSegAI.Logic.worker.running_job import InlineJob
from MedSegAI.Logic.worker.subprocess_job import SubprocessJob
from MedSegAI.Logic.worker.tasks.check import CheckTask
from MedSegAI.Logic.worker.tasks.task import Task
from MedSegAI.Logic.worker.tasks.warm_up import WarmUpTask
from MedSegAI.Logic.worker.warm_models import WarmModels
from MedSegAI.Logic.worker.worker_process import LOG_NAME, StartProcess, WorkerProcess

T = TypeVar("T")

IDLE_SECONDS = 300.0
STARTUP_SECONDS = 60.0
CANCEL_SECONDS = 2.0
_SECONDS_TO_STOP_WRITING = 10.0


class InlineRunner(Runner):
    """Runs in this process, on the caller's thread; keeps the model warm."""

    def __init__(self) -> None:
        self._models = WarmModels()

    def start(self, task: Task[T], reporter: Reporter) -> InlineJob[T]:
        """As :meth:`Runner.start`; the work is done in the job's first poll."""
        return InlineJob(lambda: task.do(models=self._models, reporter=reporter))

    def warm_up(self, model: Model, *, settings: RunSettings) -> None:
        """Nothing: whoever asks would have to wait here and now."""

    def close(self) -> None:
        """Free the model's memory."""
        self._models.forget()


class SubprocessRunner(Runner):
    """Runs in a worker process, started with the first job and kept warm until it was idle for long.

    Args:
        start_process: Starts the worker's process; in Slicer, Qt does (``MedSegAI/Widgets/process_runner.py``).
        python: Interpreter for the worker.
        idle_seconds: Idle time after which the worker ends and frees its memory.
        startup_seconds: How long a new worker may take until it is ready.
        cancel_seconds: How long a cancelled job may go on before its process is ended.
    """

    def __init__(
        self,
        start_process: StartProcess = PipeProcess,
        *,
        python: str = sys.executable,
        idle_seconds: float = IDLE_SECONDS,
        startup_seconds: float = STARTUP_SECONDS,
        cancel_seconds: float = CANCEL_SECONDS,
    ) -> None:
        self._start_process = start_process
        self._python = python
        self._idle_seconds = idle_seconds
        self._limits = {"startup_seconds": startup_seconds, "cancel_seconds": cancel_seconds}
        self._numbers = itertools.count(1)
        self._job: SubprocessJob | None = None
        self._processes: list[WorkerProcess] = []
        self._folder = Path(tempfile.gettempdir()) / f"medsegai-{secrets.token_hex(8)}"
        self._kept = KeptArrays(self._folder / KEPT_FOLDER)
        self._writing: list[BackgroundTask] = []
        self._leave = weakref.finalize(self, _leave_nothing, self._processes, self._writing, self._folder)

    def start(self, task: Task[T], reporter: Reporter) -> SubprocessJob[T]:
        """As :meth:`Runner.start`; the task's arrays are written to files first."""
        if self._job is not None and not self._job.ended:
            raise WorkerError("The worker is busy with another job.", advice="Wait for it, or cancel it first.")
        number = next(self._numbers)
        folder = make_folder(self._private_folder() / f"job-{number}")
        try:
            options = {"reporter": reporter, "worker": self._worker, "kept": self._kept, **self._limits}
            self._job = SubprocessJob(number, task, folder, **options)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._writing[:] = [self._job.preparing]
        return self._job

    def warm_up(self, model: Model, *, settings: RunSettings) -> None:
        """As :meth:`Runner.warm_up`; nothing where a job is under way, which loads its model itself."""
        if self._job is not None and not self._job.ended:
            return
        task = WarmUpTask(model, settings)
        with contextlib.suppress(MedSegAIError):
            folder = self._private_folder()
            # Nobody listens to it: what the worker says is heard, and passed over, by the next job.
            self._worker().send(Job(next(self._numbers), task.kind, str(folder), task.hand_over(folder, never)))

    def start_check(self, volume: Volume, *, rounds: int, reporter: Reporter) -> SubprocessJob[tuple[Volume, float]]:
        """Begin the worker's health check: it sums the voxels ``rounds`` times and sends volume and sum back."""
        return self.start(CheckTask(volume, rounds), reporter)

    @property
    def worker_pid(self) -> int | None:
        """Number of the worker's process, None where none is running."""
        return next((process.pid for process in self._processes if process.is_alive), None)

    @property
    def log(self) -> Path:
        """What the worker wrote to its standard error; :meth:`close` removes it."""
        return self._folder / LOG_NAME

    def close(self) -> None:
        """End the worker and remove the private folder; may take seconds. A later job starts a new worker."""
        if self._job is not None:
            self._job.leave()
            self._job = None
        _leave_nothing(self._processes, self._writing, self._folder)

    def _worker(self) -> WorkerProcess:
        if self._processes and not self._processes[0].is_alive:
            self._processes.pop().close()
        if not self._processes:
            folder = self._private_folder()
            self._processes.append(self._start_process(folder, python=self._python, idle_seconds=self._idle_seconds))
        return self._processes[0]

    def _private_folder(self) -> Path:
        """The folder for this runner's arrays, readable by this user only: it will hold patients' scans."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise storage_error(self._folder, error) from error
        return self._folder


def _leave_nothing(processes: list[WorkerProcess], writing: list[BackgroundTask], folder: Path) -> None:
    while processes:
        processes.pop().close()
    while writing:
        task = writing.pop()
        task.stop()
        task.wait(timeout=_SECONDS_TO_STOP_WRITING)
    shutil.rmtree(folder, ignore_errors=True)
