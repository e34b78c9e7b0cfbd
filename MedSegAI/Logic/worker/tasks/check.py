"""The worker's health check: sum the voxels of a scan many times and send the scan back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.volume import Volume
from MedSegAI.Logic.worker.background_task import AskToStop
from MedSegAI.Logic.worker.handover import Plain, put_volume, take_volume
from MedSegAI.Logic.worker.kept_arrays import KeptArrays
from MedSegAI.Logic.worker.tasks.task import Task
from MedSegAI.Logic.worker.warm_models import WarmModels


@dataclass(frozen=True, eq=False)
class CheckTask(Task[tuple[Volume, float]]):
    """Gives the scan and the sum of its voxels; ``rounds`` says how often they are summed."""

    kind: ClassVar[str] = "check"
    volume: Volume
    rounds: int

    def do(self, *, models: WarmModels, reporter: Reporter) -> tuple[Volume, float]:
        """Sum the voxels, and report each round."""
        total = 0.0
        for done in range(1, self.rounds + 1):
            raise_if_cancelled(reporter)
            total = float(np.sum(self.volume.array, dtype=np.float64))
            reporter.progress(done, self.rounds, "checking")
        return self.volume, total

    def hand_over(self, folder: Path, stopped: AskToStop, *, kept: KeptArrays | None = None) -> Plain:
        """As :meth:`Task.hand_over`."""
        return {"volume": put_volume(self.volume, folder, "scan", stopped=stopped), "rounds": self.rounds}

    @classmethod
    def taken_over(cls, arguments: Plain) -> CheckTask:
        """As :meth:`Task.taken_over`."""
        return cls(take_volume(arguments["volume"], keep_mapped=True), int(arguments["rounds"]))

    @staticmethod
    def hand_back(result: tuple[Volume, float], folder: Path) -> Plain:
        """As :meth:`Task.hand_back`."""
        volume, total = result
        return {"volume": put_volume(volume, folder, "volume"), "sum": total}

    @staticmethod
    def take_back(values: Plain) -> tuple[Volume, float]:
        """As :meth:`Task.take_back`."""
        return take_volume(values["volume"], keep_mapped=False), values["sum"]
