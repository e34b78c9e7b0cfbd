"""Bring a scan into shape in a worker, step by step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.standardise.step import Standardised, Step, apply_steps
from MedSegAI.Logic.volume import Volume
from MedSegAI.Logic.worker.background_task import AskToStop
from MedSegAI.Logic.worker.handover import Plain, put_volume, take_volume
from MedSegAI.Logic.worker.kept_arrays import KeptArrays
from MedSegAI.Logic.worker.tasks.task import Task
from MedSegAI.Logic.worker.warm_models import WarmModels


@dataclass(frozen=True, eq=False)
class StandardiseTask(Task[Standardised]):
    """As :func:`MedSegAI.Logic.standardise.step.apply_steps`.

    What it gives has no ``undo``, wherever it is done: a function does not cross to another process. A face keeps the
    scan as it was instead.
    """

    kind: ClassVar[str] = "standardise"
    volume: Volume
    steps: tuple[Step, ...]

    def do(self, *, models: WarmModels, reporter: Reporter) -> Standardised:
        """Apply the steps in turn."""
        return replace(apply_steps(self.volume, self.steps, reporter=reporter), undo=None)

    def hand_over(self, folder: Path, stopped: AskToStop, *, kept: KeptArrays | None = None) -> Plain:
        """As :meth:`Task.hand_over`."""
        return {
            "volume": put_volume(self.volume, folder, "scan", stopped=stopped, kept=kept),
            "steps": [{"kind": step.kind, "settings": step.to_plain()} for step in self.steps],
        }

    @classmethod
    def taken_over(cls, arguments: Plain) -> StandardiseTask:
        """As :meth:`Task.taken_over`; raises InputError for a step that this version does not know."""
        from MedSegAI.Logic.standardise.catalogue import step_from_plain

        steps = tuple(step_from_plain(plain["kind"], plain["settings"]) for plain in arguments["steps"])
        return cls(take_volume(arguments["volume"], keep_mapped=True), steps)

    @staticmethod
    def hand_back(result: Standardised, folder: Path) -> Plain:
        """As :meth:`Task.hand_back`."""
        extras = enumerate(result.extras.items())
        return {
            "volume": put_volume(result.volume, folder, "standardised"),
            "extras": {name: put_volume(extra, folder, f"extra-{number}") for number, (name, extra) in extras},
        }

    @staticmethod
    def take_back(values: Plain) -> Standardised:
        """As :meth:`Task.take_back`."""
        extras = {name: take_volume(plain, keep_mapped=False) for name, plain in values["extras"].items()}
        return Standardised(take_volume(values["volume"], keep_mapped=False), extras=extras)
