"""Load a model before anybody waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from MedSegAI.Logic.models.registry import Model, find_model
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.worker.background_task import AskToStop
from MedSegAI.Logic.worker.handover import Plain
from MedSegAI.Logic.worker.kept_arrays import KeptArrays
from MedSegAI.Logic.worker.tasks.segment import model_and_settings
from MedSegAI.Logic.worker.tasks.task import Task
from MedSegAI.Logic.worker.warm_models import WarmModels


@dataclass(frozen=True, eq=False)
class WarmUpTask(Task[None]):
    """Opens the engine and lets it evaluate one empty window, whose first time is the slowest."""

    kind: ClassVar[str] = "warm-up"
    model: Model
    settings: RunSettings

    def do(self, *, models: WarmModels, reporter: Reporter) -> None:
        """Do it; the next run of the model finds it warm."""
        engine = models.engine(self.model, settings=self.settings, reporter=reporter)
        card = self.model.card
        engine.predict(np.zeros((1, len(card.inputs), *card.window), dtype=np.float32))

    def hand_over(self, folder: Path, stopped: AskToStop, *, kept: KeptArrays | None = None) -> Plain:
        """As :meth:`Task.hand_over`."""
        return model_and_settings(self.model, self.settings)

    @classmethod
    def taken_over(cls, arguments: Plain) -> WarmUpTask:
        """As :meth:`Task.taken_over`; raises ModelError if there is no such model any more."""
        return cls(find_model(arguments["model"]), RunSettings(**arguments["settings"]))

    @staticmethod
    def hand_back(result: None, folder: Path) -> Plain:
        """There is nothing to give."""
        return {}

    @staticmethod
    def take_back(values: Plain) -> None:
        """There is nothing to take."""
