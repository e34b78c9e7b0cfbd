"""Cases done by the workers of a ``dask.distributed`` scheduler; they see the batch's folder and the scans by path."""

from __future__ import annotations

import queue
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from MedSegAI.Logic.batch.case_record import CaseRecord, CaseStatus
from MedSegAI.Logic.batch.do_case import CaseOrder, do_case
from MedSegAI.Logic.errors import WorkerError

if TYPE_CHECKING:
    import distributed


class DaskWorkers:
    """The workers that a client's scheduler has.

    No more cases are handed over than there are workers, so that a worker that dies is blamed for one case only.

    Args:
        client: A client connected to the scheduler.
    """

    def __init__(self, client: distributed.Client) -> None:
        self._client = client
        self._address = client.scheduler.address
        self._orders: dict[str, tuple[CaseOrder, Any]] = {}
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()

    def wanted(self) -> int:
        """One case a worker.

        Raises:
            WorkerError: if the scheduler cannot be reached.
        """
        try:
            return len(self._client.nthreads())
        except (OSError, TimeoutError) as error:
            raise scheduler_gone(self._address) from error

    def under_way(self) -> int:
        """How many cases the scheduler has."""
        return len(self._orders)

    def submit(self, order: CaseOrder) -> None:
        """Hand a case to the scheduler."""
        key = f"{order.mark.name}-{order.case.id}"
        future = self._client.submit(do_case, order, key=key, pure=False)
        self._orders[key] = (order, future)
        future.add_done_callback(lambda ended: self._ended.put(ended.key))

    def finished(self, *, timeout: float) -> list[CaseRecord]:
        """The records of cases that ended within ``timeout`` seconds; one that workers died of has failed.

        Raises:
            WorkerError: if the scheduler was lost.
        """
        keys: list[str] = []
        with suppress(queue.Empty):
            keys.append(self._ended.get(timeout=timeout))
            while True:
                keys.append(self._ended.get_nowait())
        return [self._record(*self._orders.pop(key)) for key in keys if key in self._orders]

    def _record(self, order: CaseOrder, future: Any) -> CaseRecord:
        from distributed import KilledWorker

        if future.status not in ("finished", "error"):
            raise scheduler_gone(self._address)
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, KilledWorker):
            sentence = (
                "Each worker that tried it was killed before it had finished. Most often the computer's memory ran "
                "out: try it with fewer workers."
            )
        else:
            sentence = f"The worker could not begin it ({type(error).__name__}: {error})."
        return order.record(CaseStatus.FAILED, sentence)


def scheduler_gone(address: str) -> WorkerError:
    """The sentence for a scheduler that does not answer any more."""
    return WorkerError(
        f"The scheduler '{address}' cannot be reached any more.",
        advice="What is done stays; run the same command again to go on.",
    )
