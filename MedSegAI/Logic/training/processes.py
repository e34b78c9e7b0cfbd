"""What the training loop asks of the processes that train together, and the answer of one that trains alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import torch
from torch import Tensor, nn

from MedSegAI.Logic.training.distributed.parts import Part, parts_of_batch

Result = TypeVar("Result")


class Processes(Protocol):
    """The processes of a run, seen from one of them; every method but ``parts_of_step`` is called by all at once.

    Args:
        rank: This process's number, 0 to ``count - 1``.
        count: Processes in all.
        device: Where this process computes.
        gradient_factor: What a gradient is multiplied with before it is left, so that what the wrapped network makes
            of those of all processes (their mean) is their sum.
    """

    rank: int
    count: int
    device: torch.device
    gradient_factor: float

    @property
    def is_writer(self) -> bool:
        """Whether this process writes files and speaks; one does."""
        ...

    def parts_of_step(self, batch_size: int) -> tuple[Part, ...]:
        """The places of the batch that this process learns from, in parts that go through the network together."""
        ...

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network as training calls it, which brings gradients of all processes together."""
        ...

    def total(self, sums: Tensor) -> Tensor:
        """Sums without gradient, added over all processes."""
        ...

    def mean(self, values: Sequence[float]) -> list[float]:
        """Each value averaged over all processes."""
        ...

    def spread(self, count: int, work: Callable[[Sequence[int]], list[Result]]) -> list[Result]:
        """Results of ``work`` for 0 to ``count - 1``, in that order, each computed by one process, known to all."""
        ...

    def any_of(self, flag: bool) -> bool:
        """Whether any process says so."""
        ...

    def from_writer(self, read: Callable[[], Result]) -> Result:
        """What ``read`` gives the writer, for all; what it raises, all raise."""
        ...

    def barrier(self) -> None:
        """Wait until all processes are here."""
        ...


@dataclass(frozen=True)
class OneProcess:
    """A process that trains alone; see :class:`Processes`.

    Args:
        device: Where it computes.
        accumulate: Parts into which a batch is divided, so that it fits into memory.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    accumulate: int = 1
    rank: int = 0
    count: int = 1
    gradient_factor: float = 1.0

    @property
    def is_writer(self) -> bool:
        """It does everything."""
        return True

    def parts_of_step(self, batch_size: int) -> tuple[Part, ...]:
        """The whole batch."""
        return parts_of_batch(batch_size, rank=0, count=1, accumulate=self.accumulate)

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network itself."""
        return network

    def total(self, sums: Tensor) -> Tensor:
        """The sums themselves."""
        return sums

    def mean(self, values: Sequence[float]) -> list[float]:
        """The values themselves."""
        return list(values)

    def spread(self, count: int, work: Callable[[Sequence[int]], list[Result]]) -> list[Result]:
        """All of the work."""
        return work(range(count))

    def any_of(self, flag: bool) -> bool:
        """What this process says."""
        return flag

    def from_writer(self, read: Callable[[], Result]) -> Result:
        """What this process reads."""
        return read()

    def barrier(self) -> None:
        """Nobody to wait for."""
