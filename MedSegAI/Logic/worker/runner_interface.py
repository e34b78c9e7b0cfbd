"""What a face asks of whoever computes for it; :mod:`MedSegAI.Logic.worker.runner` has the two that do."""

from __future__ import annotations

import abc
from types import TracebackType
from typing import TypeVar

import numpy as np

from MedSegAI.Logic.align.alignment import Alignment
from MedSegAI.Logic.doctor import Check
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.inference.result import SegmentationResult, ShowPart
from MedSegAI.Logic.inference.scans import Scans
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.standardise.step import Standardised, Step
from MedSegAI.Logic.volume import Volume
from MedSegAI.Logic.worker.running_job import RunningJob
from MedSegAI.Logic.worker.tasks.align import AlignTask
from MedSegAI.Logic.worker.tasks.examine import ExamineTask
from MedSegAI.Logic.worker.tasks.explain import ExplainTask
from MedSegAI.Logic.worker.tasks.probability import ProbabilityTask
from MedSegAI.Logic.worker.tasks.segment import SegmentTask
from MedSegAI.Logic.worker.tasks.standardise import StandardiseTask
from MedSegAI.Logic.worker.tasks.task import Task

T = TypeVar("T")


class Runner(abc.ABC):
    """Does one job at a time; a context manager that frees what it holds.

    Every ``start_...`` returns at once. The arrays that a job was given must not change before it has ended: they may
    still be read. A scan that cannot be handed over is the job's error. Each raises StorageError if there is no place
    for the scans, WorkerError if the worker cannot be started or is busy.
    """

    @abc.abstractmethod
    def start(self, task: Task[T], reporter: Reporter) -> RunningJob[T]:
        """Begin any task and return at once; raises as the class says."""

    @abc.abstractmethod
    def close(self) -> None:
        """Free the model's memory; a later job starts afresh."""

    @abc.abstractmethod
    def warm_up(self, model: Model, *, settings: RunSettings) -> None:
        """Have the model loaded before anybody waits for it, where that can be done in the background.

        Returns at once. Nobody hears of its end; where it fails, the first run says why. A job started meanwhile waits
        for it, as it would have to wait for the model anyway.
        """

    def start_segment(
        self,
        scans: Scans,
        *,
        model: Model,
        settings: RunSettings,
        reporter: Reporter,
        show: ShowPart | None = None,
    ) -> RunningJob[SegmentationResult]:
        """Begin :func:`MedSegAI.Logic.inference.segment.segment`; one scan, or several by name.

        ``show`` is called from within the job's ``poll``, on the caller's thread.
        """
        return self.start(SegmentTask(scans, model, settings, show), reporter)

    def start_explain(
        self,
        scans: Scans,
        segmentation: SegmentationResult | Segmentation,
        *,
        model: Model,
        target: str | int,
        layer: str | None = None,
        settings: RunSettings,
        reporter: Reporter,
    ) -> RunningJob[Volume]:
        """Begin :func:`MedSegAI.Logic.explain.explain.explain`; the scans are those that were segmented."""
        return self.start(ExplainTask(scans, segmentation, model, target, layer, settings), reporter)

    def start_probability(
        self,
        scans: Scans,
        *,
        model: Model,
        settings: RunSettings,
        made: Provenance,
        value: int,
        box: Box,
        reporter: Reporter,
    ) -> RunningJob[np.ndarray]:
        """Begin :func:`MedSegAI.Logic.inference.label_probability.label_probability`; gives float32 over the box."""
        return self.start(ProbabilityTask(scans, model, settings, made, value, box), reporter)

    def start_standardise(
        self, volume: Volume, steps: tuple[Step, ...], *, reporter: Reporter
    ) -> RunningJob[Standardised]:
        """Begin to bring a scan into shape; gives the scan with its records, and extras, without ``undo``."""
        return self.start(StandardiseTask(volume, steps), reporter)

    def start_align(self, moving: Volume, *, reference: Volume, reporter: Reporter) -> RunningJob[Alignment]:
        """Begin to register a scan rigidly to another; ``Logic/align/move.py`` then puts it there."""
        return self.start(AlignTask(moving, reference), reporter)

    def start_examine(self, reporter: Reporter) -> RunningJob[tuple[Check, ...]]:
        """Begin :func:`MedSegAI.Logic.doctor.examine` of the place where the work is done."""
        return self.start(ExamineTask(), reporter)

    def segment(self, scans: Scans, *, model: Model, settings: RunSettings, reporter: Reporter) -> SegmentationResult:
        """Segment and wait for the result; raises as the work itself, Cancelled if it was stopped."""
        return self.start_segment(scans, model=model, settings=settings, reporter=reporter).wait()

    def explain(
        self,
        scans: Scans,
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
        return self.start_explain(scans, segmentation, **options).wait()

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
