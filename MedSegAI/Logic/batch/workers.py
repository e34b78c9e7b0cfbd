"""Who does the cases of a batch: this process, processes on this computer, or those of a scheduler."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from MedSegAI.Logic.batch.case_record import CaseRecord
from MedSegAI.Logic.batch.do_case import CaseOrder, do_case
from MedSegAI.Logic.worker.background_task import AskToStop


class Workers(Protocol):
    """Takes cases and gives their records back, in whatever order they end."""

    def wanted(self) -> int:
        """How many cases can be worked on at the same time, now."""

    def under_way(self) -> int:
        """How many cases were submitted and have not ended."""

    def submit(self, order: CaseOrder) -> None:
        """Have a case done."""

    def finished(self, *, timeout: float) -> list[CaseRecord]:
        """The records of cases that ended; empty where none did within ``timeout`` seconds.

        Raises:
            WorkerError: if those who work cannot be reached any more.
        """


class ThisProcess:
    """Does one case after the other, here; needs no further package.

    Args:
        stopped: Asked between windows whether to stop.
    """

    def __init__(self, stopped: AskToStop) -> None:
        self._stopped = stopped
        self._orders: deque[CaseOrder] = deque()

    def wanted(self) -> int:
        """One."""
        return 1

    def under_way(self) -> int:
        """Those that wait; while one is being done, its caller waits, too."""
        return len(self._orders)

    def submit(self, order: CaseOrder) -> None:
        """Remember the case."""
        self._orders.append(order)

    def finished(self, *, timeout: float) -> list[CaseRecord]:
        """Do the next case, however long it takes."""
        return [do_case(self._orders.popleft(), stopped=self._stopped)] if self._orders else []
