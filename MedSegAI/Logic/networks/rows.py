"""Volumes as rows (k, j, channel, i) with a border of zeros, as the machine code of ``row_code.py`` takes them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

BETWEEN_ROWS = 16
"""Zeros between one row and the next: one is needed on either side, and so many keep rows aligned."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Channels ``first`` to ``first + channels`` of a volume in rows.

    Args:
        memory: (k + 2, j + 2, all channels, 16 + i) float32, zero outside the volume, and as many zeros after it.
        shape: Extent (k, j, i).
        first, channels: The channels meant.
    """

    memory: Tensor
    shape: tuple[int, int, int]
    first: int
    channels: int

    @classmethod
    def empty(cls, channels: int, shape: tuple[int, int, int]) -> Rows:
        """Rows of zeros."""
        k, j, i = shape
        size = (k + 2, j + 2, channels, BETWEEN_ROWS + i)
        count = size[0] * size[1] * size[2] * size[3]
        # The last row is followed by zeros, too.
        return cls(torch.zeros(count + BETWEEN_ROWS)[:count].view(size), shape, 0, channels)

    def part(self, first: int, channels: int) -> Rows:
        """Some of the channels, in the same memory."""
        return Rows(self.memory, self.shape, self.first + first, channels)

    @property
    def inside(self) -> Tensor:
        """The voxels: a view (channels, k, j, i)."""
        lines = self.memory[1:-1, 1:-1, self.first : self.first + self.channels, BETWEEN_ROWS:]
        return lines.permute(2, 0, 1, 3)

    def place(self, plane: int = 0, row: int = 0, *, border: int = 0) -> tuple[int, int, int, int]:
        """Address of a row's first voxel, or ``border`` voxels before it on each axis; distances of k, j and channel.

        The address is one of this process, the distances count floats.
        """
        for_k, for_j, for_c, _ = self.memory.stride()
        offset = (plane + 1 - border) * for_k + (row + 1 - border) * for_j + self.first * for_c + BETWEEN_ROWS - border
        return self.memory.data_ptr() + offset * self.memory.element_size(), for_k, for_j, for_c


def over_planes(planes: int, work: Callable[[int, int], None]) -> None:
    """``work(first plane, number of planes)`` for all planes, on as many threads as torch has."""
    threads = min(torch.get_num_threads(), planes)
    if threads == 1:
        work(0, planes)
        return
    edges = [planes * number // threads for number in range(threads + 1)]
    for _ in _pool(threads).map(work, edges[:-1], [stop - start for start, stop in itertools.pairwise(edges)]):
        pass


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="rows")
