"""What a worker can be asked to do, one task a file: how it is handed over, done, and its result handed back."""

from __future__ import annotations

import abc
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from MedSegAI.Logic.inference.result import ShowPart
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.worker.background_task import AskToStop
from MedSegAI.Logic.worker.handover import Plain
from MedSegAI.Logic.worker.kept_arrays import KeptArrays
from MedSegAI.Logic.worker.warm_models import WarmModels

T = TypeVar("T")


class Task(abc.ABC, Generic[T]):
    """One piece of work. It is done here by :meth:`do`, or handed over to a worker process that does the same.

    The arrays that it was given must not change before it has ended: they may still be read.
    """

    kind: ClassVar[str]
    """Its name in the worker's protocol."""
    show: ShowPart | None = None
    """Is shown parts of the result as soon as they are finished; only a task whose result grows ever has one."""

    @abc.abstractmethod
    def do(self, *, models: WarmModels, reporter: Reporter) -> T:
        """Do it in this process; raises whatever the work raises, Cancelled if the reporter asked to stop."""

    def shown_to(self, show: ShowPart | None) -> Task[T]:
        """The same task, its growing result shown to somebody; itself where its result does not grow."""
        return self

    @abc.abstractmethod
    def hand_over(self, folder: Path, stopped: AskToStop, *, kept: KeptArrays | None = None) -> Plain:
        """Write its arrays into the folder and describe it as JSON values, in the process that asks.

        Args:
            folder: The job's own folder.
            stopped: Asked whether to give up.
            kept: Scans handed over before, which need not be written again.

        Raises:
            StorageError: if an array cannot be written.
            Cancelled: if ``stopped`` said so.
        """

    @classmethod
    @abc.abstractmethod
    def taken_over(cls, arguments: Plain) -> Task[T]:
        """The task that :meth:`hand_over` described, in the worker; its arrays stay mapped files."""

    @staticmethod
    @abc.abstractmethod
    def hand_back(result: T, folder: Path) -> Plain:
        """Write the result's arrays into the folder and describe it as JSON values, in the worker."""

    @staticmethod
    @abc.abstractmethod
    def take_back(values: Plain) -> T:
        """The result that :meth:`hand_back` described, in the process that asked; the files may go afterwards."""
