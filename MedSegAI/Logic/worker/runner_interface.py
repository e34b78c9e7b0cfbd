"""What a face asks of whoever computes for it; :mod:`MedSegAI.Logic.worker.runner` has the two that do."""

from __future__ import annotations

import abc
from types import TracebackType

from MedSegAI.Logic.doctor import Check
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Volume
from MedSegAI.Logic.worker.running_job import RunningJob


class Runner(abc.ABC):
    """Segments and explains, one job at a time; a context manager that frees what it holds."""

    @abc.abstractmethod
    def start_segment(
        self, volume: Volume, *, model: Model, settings: RunSettings, reporter: Reporter
    ) -> RunningJob[SegmentationResult]:
        """Begin :func:`MedSegAI.Logic.inference.segment.segment` and return at once.

        The volume's array must not change before the job has ended: it may still be read. A scan that cannot be handed
        over is the job's error.

        Raises:
            StorageError: if there is no place for the scan.
            WorkerError: if the worker cannot be started or is busy.
        """

    @abc.abstractmethod
    def start_explain(
        self,
        volume: Volume,
        segmentation: SegmentationResult | Segmentation,
        *,
        model: Model,
        target: str | int,
        layer: str | None = None,
        settings: RunSettings,
        reporter: Reporter,
    ) -> RunningJob[Volume]:
        """Begin :func:`MedSegAI.Logic.explain.explain.explain` and return at once; raises as :meth:`start_segment`."""

    @abc.abstractmethod
    def start_examine(self, reporter: Reporter) -> RunningJob[tuple[Check, ...]]:
        """Begin :func:`MedSegAI.Logic.doctor.examine` and return at once; raises as :meth:`start_segment`.

        What is examined is the place where the work is done: in a worker process, that process's torch, GPU and memory.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Free the model's memory; a later job starts afresh."""

    def segment(self, volume: Volume, *, model: Model, settings: RunSettings, reporter: Reporter) -> SegmentationResult:
        """Segment a scan and wait for the result; raises as the work itself, Cancelled if it was stopped."""
        return self.start_segment(volume, model=model, settings=settings, reporter=reporter).wait()

    def explain(
        self,
        volume: Volume,
        segmentation: SegmentationResult | Segmentation,
        *,
        model: Model,
        target: str | int,
        layer: str | None = None,
        settings: RunSettings,
        reporter: Reporter,
    ) -> Volume:
        """Explain a label of a segmentation and wait for the heat map (k, j, i) float32 in 0..1."""
        options = {"model": model, "target": target, "layer": layer, "settings": settings, "reporter": reporter}
        return self.start_explain(volume, segmentation, **options).wait()

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
