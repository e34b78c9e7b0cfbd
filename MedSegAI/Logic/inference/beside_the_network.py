"""What is done while the network runs: the next windows are cut, the last ones are added, finished planes decided."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TypeVar

from torch import Tensor

from MedSegAI.Logic.inference.plane_ring import PlaneRing
from MedSegAI.Logic.inference.plane_sink import PlaneSink
from MedSegAI.Logic.inference.windows import Start

_Item = TypeVar("_Item")


class BesideTheNetwork:
    """Keeps a second core busy with everything but the network, in one thread, in the order of the windows.

    Each thing is done by one thread after the other, so the result is the same bits with and without it. Whatever fails
    in the thread is raised in the caller's, at the next call. Leaving the block waits for what is being done, which
    takes no longer than cutting one window, and drops what was not begun.

    Args:
        ring: Where windows are added.
        sink: Where finished planes go.
        finished: As ``segment_array`` has it; is called in the caller's thread.
        own_thread: Whether to use a thread where there is a core for it; else all is done in the caller's.
    """

    def __init__(
        self, ring: PlaneRing, sink: PlaneSink, finished: Callable[[int], None] | None, *, own_thread: bool
    ) -> None:
        self._ring, self._sink, self._finished = ring, sink, finished
        self._executor: Executor = ThreadPoolExecutor(1) if own_thread and _cores() > 1 else _AtOnce()
        self._adding: Future[int] | None = None

    def __enter__(self) -> BesideTheNetwork:
        return self

    def __exit__(self, *_error: object) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)

    def one_ahead(self, items: Iterator[_Item]) -> Iterator[_Item]:
        """The items, each made while the one before it is being used."""
        coming = self._executor.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = self._executor.submit(next, items, None)
            yield item

    def add(self, windows: list[tuple[Start, Tensor | None]]) -> None:
        """Begin to add windows (their logits, None where one was skipped), once those of the last call are added."""
        self._settle()
        self._adding = self._executor.submit(self._add, windows)

    def move_to(self, device: str) -> None:
        """Carry the sums over to another device."""
        self._settle()
        self._ring.move_to(device)

    def end(self) -> None:
        """Add what waits, and write all planes that are left."""
        self._settle()
        self._adding = self._executor.submit(self._write_below, self._ring.depth)
        self._settle()

    def _settle(self) -> None:
        """Wait for the windows of the last call; tells of the planes that they finished."""
        if self._adding is None:
            return
        below = self._adding.result()
        self._adding = None
        if below and self._finished is not None:
            self._finished(below)

    def _add(self, windows: list[tuple[Start, Tensor | None]]) -> int:
        """Add windows; the plane below which all are finished now, or 0 where none more are."""
        below = 0
        for start, logits in windows:
            below = self._write_below(start[0]) or below
            if logits is not None:
                self._ring.add(start, logits)
        return below

    def _write_below(self, k: int) -> int:
        return k if self._sink.write(self._ring.planes_below(k)) else 0


class _AtOnce(Executor):
    """Does in the caller's thread what it is given, before it returns."""

    def submit(self, work: Callable[..., object], /, *arguments: object, **options: object) -> Future:
        done: Future = Future()
        try:
            done.set_result(work(*arguments, **options))
        except Exception as error:
            done.set_exception(error)
        return done


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
