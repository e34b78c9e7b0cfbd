"""Parts of a result on their way from the worker to its parent, while the rest is still being computed.

A part's labels lie in a file of the job's folder, which the parent removes once it has read it. While one lies there
the parent is slow, and what is finished meanwhile is held back and put together.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.inference.result import ShowPart
from MedSegAI.Logic.worker.array_files import write_array
from MedSegAI.Logic.worker.protocol import Part

SECONDS_BETWEEN_PARTS = 0.3


@dataclass(frozen=True, eq=False)
class _Waiting:
    box: Box
    labels: np.ndarray


class GrowingParts:
    """What the worker shows of a growing result; called with each part as a :data:`ShowPart`.

    A part that cannot be written is not shown, which harms nothing: the result itself comes at the end.

    Args:
        job: The job's number.
        folder: The job's own folder.
        say: Tells the parent.
        seconds_between: Least time between two tellings.
    """

    def __init__(
        self, job: int, folder: Path, say: Callable[[Part], None], *, seconds_between: float = SECONDS_BETWEEN_PARTS
    ) -> None:
        self._job, self._folder, self._say = job, folder, say
        self._seconds_between = seconds_between
        self._told = -math.inf
        self._count = 0
        self._waiting: list[_Waiting] = []
        self._on_the_way: list[Path] = []
        self._not_empty: list[Box] = []

    def __call__(self, box: Box, labels: np.ndarray) -> None:
        """Take in a part: a box of the scan's grid and its uint8 labels (k, j, i), copied."""
        self._waiting = _together(self._waiting, _Waiting(box, labels.copy()))
        if time.monotonic() - self._told < self._seconds_between or any(path.exists() for path in self._on_the_way):
            return
        waiting, self._waiting, self._on_the_way = self._waiting, [], []
        with suppress(StorageError):
            for part in map(self._worth_telling, waiting):
                if not part.box.is_empty:
                    self._tell(part)

    def _worth_telling(self, part: _Waiting) -> _Waiting:
        """Background need be told only where something else was told before."""
        found = Box.around(part.labels)
        if not any(_meet(part.box, before) for before in self._not_empty):
            if found is None:
                return _Waiting(Box.empty(), part.labels)
            part = _Waiting(found.shift(part.box.start), part.labels[found.slices])
        if found is not None:
            self._not_empty.append(part.box)
        return part

    def _tell(self, part: _Waiting) -> None:
        self._count += 1
        path = self._folder / f"part-{self._count}.npy"
        write_array(path, part.labels)
        self._on_the_way.append(path)
        self._told = time.monotonic()
        self._say(Part(self._job, str(path), [list(part.box.start), list(part.box.stop)]))


def show_part(part: Part, show: ShowPart | None) -> None:
    """Show a part that the worker told of, in the parent, and remove its file; nothing where it cannot be read."""
    path = Path(part.array)
    labels = None
    with suppress(OSError, ValueError):
        labels = np.load(path)
    with suppress(OSError):
        path.unlink()
    if labels is not None and show is not None:
        start, stop = part.box
        show(Box(tuple(start), tuple(stop)), labels)


def _together(waiting: list[_Waiting], new: _Waiting) -> list[_Waiting]:
    """The parts in order; the last ones made one where they fill a box, left out where the new one replaces them."""
    kept = list(waiting)
    while kept:
        last, both = kept[-1], kept[-1].box.union(new.box)
        if both != new.box:
            if _voxels(both) != _voxels(last.box) + _voxels(new.box):
                break
            labels = np.empty(both.shape, new.labels.dtype)
            for each in (last, new):
                labels[each.box.shift(tuple(-start for start in both.start)).slices] = each.labels
            new = _Waiting(both, labels)
        kept.pop()
    return [*kept, new]


def _voxels(box: Box) -> int:
    return math.prod(box.shape)


def _meet(one: Box, other: Box) -> bool:
    return all(max(a, c) < min(b, d) for a, b, c, d in zip(one.start, one.stop, other.start, other.stop))
