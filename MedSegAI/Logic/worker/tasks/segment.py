"""Segment a case in a worker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from MedSegAI.Logic.inference.result import SegmentationResult, ShowPart
from MedSegAI.Logic.inference.scans import Scans
from MedSegAI.Logic.models.registry import Model, find_model
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.worker.background_task import AskToStop
from MedSegAI.Logic.worker.handover import Plain, put_scans, put_segmentation, take_scans, take_segmentation
from MedSegAI.Logic.worker.kept_arrays import KeptArrays
from MedSegAI.Logic.worker.tasks.task import Task
from MedSegAI.Logic.worker.warm_models import WarmModels


@dataclass(frozen=True, eq=False)
class SegmentTask(Task[SegmentationResult]):
    """As :func:`MedSegAI.Logic.inference.segment.segment`."""

    kind: ClassVar[str] = "segment"
    scans: Scans
    model: Model
    settings: RunSettings
    show: ShowPart | None = None

    def do(self, *, models: WarmModels, reporter: Reporter) -> SegmentationResult:
        """Segment with the warm model."""
        options = {"settings": self.settings, "reporter": reporter, "show": self.show}
        return models.segment(self.scans, self.model, **options)

    def shown_to(self, show: ShowPart | None) -> SegmentTask:
        """As :meth:`Task.shown_to`."""
        return replace(self, show=show)

    def hand_over(self, folder: Path, stopped: AskToStop, *, kept: KeptArrays | None = None) -> Plain:
        """As :meth:`Task.hand_over`."""
        return {
            "scans": put_scans(self.scans, folder, stopped=stopped, kept=kept),
            **model_and_settings(self.model, self.settings),
        }

    @classmethod
    def taken_over(cls, arguments: Plain) -> SegmentTask:
        """As :meth:`Task.taken_over`; raises ModelError if there is no such model any more."""
        settings = RunSettings(**arguments["settings"])
        return cls(take_scans(arguments["scans"], keep_mapped=True), find_model(arguments["model"]), settings)

    @staticmethod
    def hand_back(result: SegmentationResult, folder: Path) -> Plain:
        """As :meth:`Task.hand_back`."""
        return put_segmentation(result, folder)

    @staticmethod
    def take_back(values: Plain) -> SegmentationResult:
        """As :meth:`Task.take_back`."""
        return take_segmentation(values, keep_mapped=False)


def model_and_settings(model: Model, settings: RunSettings) -> Plain:
    """Which model and which settings, as JSON values."""
    return {"model": str(model.folder.resolve()), "settings": settings.to_plain()}
