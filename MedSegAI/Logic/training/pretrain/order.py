"""In which order scans are shown: from the seed and a position alone, so that any moment of it can be gone back to.

A run shows an endless sequence of samples, numbered by their position. Several processes share it: each takes every
so-many-th position, and together they see what one process would see.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import torch

from MedSegAI.Logic.errors import InputError

_STRIDE_OF_SEEDS = 1_000_003


@dataclass(frozen=True)
class Shard:
    """The part of the sequence that one of several processes takes.

    Args:
        rank: Which process, from 0.
        count: How many processes there are.

    Raises:
        InputError: if rank is not one of them.
    """

    rank: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if self.count < 1 or not 0 <= self.rank < self.count:
            raise InputError(
                f"There is no part {self.rank} of {self.count}.", advice="Parts are numbered from 0 to count - 1."
            )

    def positions(self, step: int, *, batch_size: int) -> range:
        """Positions of this process's ``batch_size`` samples of a step; all processes' together follow on."""
        first = step * batch_size * self.count
        return range(first + self.rank, first + batch_size * self.count, self.count)


@dataclass(frozen=True)
class Order:
    """Shuffled passes through all scans, one after another, without end.

    Args:
        scan_count: How many scans there are.
        seed: Two orders of one seed and count are equal.
        patches_per_scan: Positions in a row that show the same scan.
    """

    scan_count: int
    seed: int
    patches_per_scan: int = 1

    def candidates(self, position: int) -> Iterator[int]:
        """Indices of all scans: the one to be shown at a position, then those to take its place, should it be broken.

        The rest of the pass stands in for a broken scan. So what is shown depends on the files alone, never on which of
        them this process has met before.
        """
        turn, place = divmod(position // self.patches_per_scan, self.scan_count)
        shuffled = _pass_through(self.scan_count, self.seed, turn)
        return (shuffled[(place + further) % self.scan_count] for further in range(self.scan_count))

    def generator(self, position: int) -> torch.Generator:
        """Everything random about the sample at a position comes from here."""
        return torch.Generator().manual_seed((self.seed + 1_000) * _STRIDE_OF_SEEDS + position)


@lru_cache(maxsize=4)
def _pass_through(count: int, seed: int, turn: int) -> list[int]:
    generator = torch.Generator().manual_seed(seed * _STRIDE_OF_SEEDS - 1 - turn)
    return torch.randperm(count, generator=generator).tolist()
