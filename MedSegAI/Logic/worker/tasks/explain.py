"""Explain a label of a segmentation in a worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.scans import Scans
from MedSegAI.Logic.models.registry import Model, find_model
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Volume
from MedSegAI.Logic.worker.background_task import AskToStop
from MedSegAI.Logic.worker.handover import (
    Plain,
    put_scans,
    put_segmentation,
    put_volume,
    take_scans,
    take_segmentation,
    take_volume,
)
from MedSegAI.Logic.worker.kept_arrays import KeptArrays
from MedSegAI.Logic.worker.tasks.segment import model_and_settings
from MedSegAI.Logic.worker.tasks.task import Task
from MedSegAI.Logic.worker.warm_models import WarmModels


@dataclass(frozen=True, eq=False)
class ExplainTask(Task[Volume]):
    """As :func:`MedSegAI.Logic.explain.explain.explain`; gives the heat map."""

    kind: ClassVar[str] = "explain"
    scans: Scans
    segmentation: SegmentationResult | Segmentation
    model: Model
    target: str | int
    layer: str | None
    settings: RunSettings

    def do(self, *, models: WarmModels, reporter: Reporter) -> Volume:
        """Explain with the warm model."""
        options = {"target": self.target, "layer": self.layer, "settings": self.settings, "reporter": reporter}
        return models.explain(self.scans, self.segmentation, self.model, **options)

    def hand_over(self, folder: Path, stopped: AskToStop, *, kept: KeptArrays | None = None) -> Plain:
        """As :meth:`Task.hand_over`."""
        return {
            "scans": put_scans(self.scans, folder, stopped=stopped, kept=kept),
            "segmentation": put_segmentation(self.segmentation, folder, stopped=stopped),
            "target": self.target,
            "layer": self.layer,
            **model_and_settings(self.model, self.settings),
        }

    @classmethod
    def taken_over(cls, arguments: Plain) -> ExplainTask:
        """As :meth:`Task.taken_over`; raises ModelError if there is no such model any more."""
        return cls(
            take_scans(arguments["scans"], keep_mapped=True),
            take_segmentation(arguments["segmentation"], keep_mapped=True),
            find_model(arguments["model"]),
            arguments["target"],
            arguments["layer"],
            RunSettings(**arguments["settings"]),
        )

    @staticmethod
    def hand_back(result: Volume, folder: Path) -> Plain:
        """As :meth:`Task.hand_back`."""
        return {"heat_map": put_volume(result, folder, "heat_map")}

    @staticmethod
    def take_back(values: Plain) -> Volume:
        """As :meth:`Task.take_back`."""
        return take_volume(values["heat_map"], keep_mapped=False)
