"""What a worker can be asked to do: arguments as JSON values in, JSON values out, arrays by file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import WorkerError
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.worker.handover import Plain, put_segmentation, put_volume, take_segmentation, take_volume
from MedSegAI.Logic.worker.protocol import Job
from MedSegAI.Logic.worker.warm_models import WarmModels


def run_job(job: Job, *, models: WarmModels, reporter: Reporter) -> Plain:
    """Do a job and return the values of its result; arrays are written to the job's folder.

    Raises:
        WorkerError: for a kind this version does not know.
        MedSegAIError: whatever the work itself raises; Cancelled if the reporter asked to stop.
    """
    work = _KINDS.get(job.kind)
    if work is None:
        raise WorkerError(f"The worker cannot do '{job.kind}'.", advice=f"It can do: {', '.join(_KINDS)}.")
    return work(job.arguments, Path(job.folder), models, reporter)


def _segment(arguments: Plain, folder: Path, models: WarmModels, reporter: Reporter) -> Plain:
    volume = take_volume(arguments["volume"], keep_mapped=True)
    model = find_model(arguments["model"])
    settings = RunSettings(**arguments["settings"])
    return put_segmentation(models.segment(volume, model, settings=settings, reporter=reporter), folder)


def _explain(arguments: Plain, folder: Path, models: WarmModels, reporter: Reporter) -> Plain:
    heat_map = models.explain(
        take_volume(arguments["volume"], keep_mapped=True),
        take_segmentation(arguments["segmentation"], keep_mapped=True),
        find_model(arguments["model"]),
        target=arguments["target"],
        layer=arguments["layer"],
        settings=RunSettings(**arguments["settings"]),
        reporter=reporter,
    )
    return {"heat_map": put_volume(heat_map, folder, "heat_map")}


def _check(arguments: Plain, folder: Path, models: WarmModels, reporter: Reporter) -> Plain:
    """The health check: sum the voxels of a volume ``rounds`` times and send the volume back."""
    volume = take_volume(arguments["volume"], keep_mapped=True)
    rounds = int(arguments["rounds"])
    total = 0.0
    for done in range(1, rounds + 1):
        raise_if_cancelled(reporter)
        total = float(np.sum(volume.array, dtype=np.float64))
        reporter.progress(done, rounds, "checking")
    return {"volume": put_volume(volume, folder, "volume"), "sum": total}


def _examine(arguments: Plain, folder: Path, models: WarmModels, reporter: Reporter) -> Plain:
    from MedSegAI.Logic.doctor import examine

    return {"checks": [check.to_plain() for check in examine()]}


_KINDS: dict[str, Callable[[Plain, Path, WarmModels, Reporter], Plain]] = {
    "segment": _segment,
    "explain": _explain,
    "check": _check,
    "examine": _examine,
}
