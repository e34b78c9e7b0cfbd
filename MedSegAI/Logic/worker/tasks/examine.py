"""Examine the place where the work is done: in a worker, that process's torch, GPU and memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from MedSegAI.Logic.doctor import Check, examine
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.worker.background_task import AskToStop
from MedSegAI.Logic.worker.handover import Plain
from MedSegAI.Logic.worker.kept_arrays import KeptArrays
from MedSegAI.Logic.worker.tasks.task import Task
from MedSegAI.Logic.worker.warm_models import WarmModels


@dataclass(frozen=True)
class ExamineTask(Task[tuple[Check, ...]]):
    """As :func:`MedSegAI.Logic.doctor.examine`."""

    kind: ClassVar[str] = "examine"

    def do(self, *, models: WarmModels, reporter: Reporter) -> tuple[Check, ...]:
        """Examine this process; imports torch."""
        return examine()

    def hand_over(self, folder: Path, stopped: AskToStop, *, kept: KeptArrays | None = None) -> Plain:
        """As :meth:`Task.hand_over`; there is nothing to hand over."""
        return {}

    @classmethod
    def taken_over(cls, arguments: Plain) -> ExamineTask:
        """As :meth:`Task.taken_over`."""
        return cls()

    @staticmethod
    def hand_back(result: tuple[Check, ...], folder: Path) -> Plain:
        """As :meth:`Task.hand_back`."""
        return {"checks": [check.to_plain() for check in result]}

    @staticmethod
    def take_back(values: Plain) -> tuple[Check, ...]:
        """As :meth:`Task.take_back`."""
        return tuple(Check.from_plain(plain) for plain in values["checks"])
