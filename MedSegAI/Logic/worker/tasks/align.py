"""Align a scan to another in a worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from MedSegAI.Logic.align.alignment import Alignment
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.volume import Volume
from MedSegAI.Logic.worker.background_task import AskToStop
from MedSegAI.Logic.worker.handover import Plain, put_volume, take_volume
from MedSegAI.Logic.worker.kept_arrays import KeptArrays
from MedSegAI.Logic.worker.tasks.task import Task
from MedSegAI.Logic.worker.warm_models import WarmModels


@dataclass(frozen=True, eq=False)
class AlignTask(Task[Alignment]):
    """As :func:`MedSegAI.Logic.align.register_rigid.register_rigid`."""

    kind: ClassVar[str] = "align"
    moving: Volume
    reference: Volume

    def do(self, *, models: WarmModels, reporter: Reporter) -> Alignment:
        """Register the moving scan to the reference."""
        from MedSegAI.Logic.align.register_rigid import register_rigid

        return register_rigid(self.moving, self.reference, reporter=reporter)

    def hand_over(self, folder: Path, stopped: AskToStop, *, kept: KeptArrays | None = None) -> Plain:
        """As :meth:`Task.hand_over`."""
        return {
            "moving": put_volume(self.moving, folder, "moving", stopped=stopped, kept=kept),
            "reference": put_volume(self.reference, folder, "reference", stopped=stopped, kept=kept),
        }

    @classmethod
    def taken_over(cls, arguments: Plain) -> AlignTask:
        """As :meth:`Task.taken_over`."""
        return cls(*(take_volume(arguments[name], keep_mapped=True) for name in ("moving", "reference")))

    @staticmethod
    def hand_back(result: Alignment, folder: Path) -> Plain:
        """As :meth:`Task.hand_back`; there is no array."""
        return result.to_plain()

    @staticmethod
    def take_back(values: Plain) -> Alignment:
        """As :meth:`Task.take_back`."""
        return Alignment.from_plain(values)
