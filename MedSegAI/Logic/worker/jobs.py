"""The worker's side of a job: which task it is, done and answered with JSON values, arrays by file."""

from __future__ import annotations

from pathlib import Path

from MedSegAI.Logic.errors import WorkerError
from MedSegAI.Logic.inference.result import ShowPart
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.worker.handover import Plain
from MedSegAI.Logic.worker.protocol import Job
from MedSegAI.Logic.worker.tasks.align import AlignTask
from MedSegAI.Logic.worker.tasks.check import CheckTask
from MedSegAI.Logic.worker.tasks.examine import ExamineTask
from MedSegAI.Logic.worker.tasks.explain import ExplainTask
from MedSegAI.Logic.worker.tasks.probability import ProbabilityTask
from MedSegAI.Logic.worker.tasks.segment import SegmentTask
from MedSegAI.Logic.worker.tasks.standardise import StandardiseTask
from MedSegAI.Logic.worker.tasks.task import Task
from MedSegAI.Logic.worker.tasks.warm_up import WarmUpTask
from MedSegAI.Logic.worker.warm_models import WarmModels

_TASKS = (
    SegmentTask,
    ExplainTask,
    ProbabilityTask,
    StandardiseTask,
    AlignTask,
    CheckTask,
    ExamineTask,
    WarmUpTask,
)
TASKS: dict[str, type[Task]] = {task.kind: task for task in _TASKS}
"""What a worker can do, by its name in the protocol."""


def run_job(job: Job, *, models: WarmModels, reporter: Reporter, show: ShowPart | None = None) -> Plain:
    """Do a job and return the values of its result; arrays are written to the job's folder.

    Args:
        job: The job.
        models: The warm models.
        reporter: Told what is being done; asked whether to stop.
        show: Shown parts of the result as soon as they are finished, where the task's result grows.

    Raises:
        WorkerError: for a kind this version does not know.
        MedSegAIError: whatever the work itself raises; Cancelled if the reporter asked to stop.
    """
    task = TASKS.get(job.kind)
    if task is None:
        raise WorkerError(f"The worker cannot do '{job.kind}'.", advice=f"It can do: {', '.join(TASKS)}.")
    result = task.taken_over(job.arguments).shown_to(show).do(models=models, reporter=reporter)
    return task.hand_back(result, Path(job.folder))
