"""Ask the network in a worker what it says of one label near a place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.inference.scans import Scans, scans_for
from MedSegAI.Logic.models.registry import Model, find_model
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.worker.array_files import write_array
from MedSegAI.Logic.worker.background_task import AskToStop
from MedSegAI.Logic.worker.handover import Plain, put_scans, take_scans
from MedSegAI.Logic.worker.kept_arrays import KeptArrays
from MedSegAI.Logic.worker.tasks.segment import model_and_settings
from MedSegAI.Logic.worker.tasks.task import Task
from MedSegAI.Logic.worker.warm_models import WarmModels


@dataclass(frozen=True, eq=False)
class ProbabilityTask(Task[np.ndarray]):
    """As :func:`MedSegAI.Logic.inference.label_probability.label_probability`; windows that a run has seen are known.

    ``settings`` say where to compute; ``made`` is the record of the run that made the segmentation.
    """

    kind: ClassVar[str] = "probability"
    scans: Scans
    model: Model
    settings: RunSettings
    made: Provenance
    value: int
    box: Box

    def do(self, *, models: WarmModels, reporter: Reporter) -> np.ndarray:
        """Ask the warm model."""
        from MedSegAI.Logic.inference.label_probability import count_of_windows, label_probability

        card = self.model.card
        # The engine that the run itself had: only what that one said of the windows is known.
        windows = count_of_windows(self.made, card)
        engine = models.caching_engine(self.model, settings=self.settings, reporter=reporter, windows=windows)
        options = {"made": self.made, "value": self.value, "box": self.box, "reporter": reporter}
        return label_probability(scans_for(self.scans, card), card, engine, **options)

    def hand_over(self, folder: Path, stopped: AskToStop, *, kept: KeptArrays | None = None) -> Plain:
        """As :meth:`Task.hand_over`."""
        return {
            "scans": put_scans(self.scans, folder, stopped=stopped, kept=kept),
            "made": self.made.to_json(),
            "value": self.value,
            "box": [list(self.box.start), list(self.box.stop)],
            **model_and_settings(self.model, self.settings),
        }

    @classmethod
    def taken_over(cls, arguments: Plain) -> ProbabilityTask:
        """As :meth:`Task.taken_over`; raises ModelError if there is no such model any more."""
        start, stop = arguments["box"]
        return cls(
            take_scans(arguments["scans"], keep_mapped=True),
            find_model(arguments["model"]),
            RunSettings(**arguments["settings"]),
            Provenance.from_json(arguments["made"]),
            arguments["value"],
            Box(tuple(start), tuple(stop)),
        )

    @staticmethod
    def hand_back(result: np.ndarray, folder: Path) -> Plain:
        """As :meth:`Task.hand_back`."""
        path = folder / "probability.npy"
        write_array(path, result)
        return {"probability": str(path)}

    @staticmethod
    def take_back(values: Plain) -> np.ndarray:
        """As :meth:`Task.take_back`."""
        return np.load(values["probability"])
