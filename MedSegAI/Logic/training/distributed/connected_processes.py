"""What processes of one training exchange: gradients, sums, scores, and what only the first of them reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn

from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Logic.training.distributed.environment import Place
from MedSegAI.Logic.training.distributed.parts import Part, parts_of_batch

Result = TypeVar("Result")


class ConnectedProcesses:
    """The processes that torchrun started, seen from one of them; see ``Logic/training/processes.py``.

    Args:
        place: Which process this is.
        device: Where it computes.
        accumulate: Parts into which each process divides its share of a batch.
    """

    def __init__(self, place: Place, *, device: torch.device, accumulate: int) -> None:
        self.rank, self.count, self.device = place.rank, place.count, device
        self.gradient_factor = float(place.count)
        self._accumulate = accumulate

    @property
    def is_writer(self) -> bool:
        """The first does."""
        return self.rank == 0

    def parts_of_step(self, batch_size: int) -> tuple[Part, ...]:
        """This process's equal share of the batch.

        Raises:
            InputError: if the batch cannot be divided into equal parts.
        """
        return parts_of_batch(batch_size, rank=self.rank, count=self.count, accumulate=self._accumulate)

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network whose gradients are the mean of those of all processes; it starts with the writer's weights.

        What its norms measure needs no exchange: instance norm and layer norm look at one sample.
        """
        return nn.parallel.DistributedDataParallel(
            network,
            device_ids=[self.device] if self.device.type == "cuda" else None,
            broadcast_buffers=False,
            # A part of a network may sleep for a step, as does the encoder of a modality that was left out.
            find_unused_parameters=True,
        )

    def total(self, sums: Tensor) -> Tensor:
        """Sums without gradient, added over all processes."""
        totals = sums.detach().clone()
        distributed.all_reduce(totals)
        return totals

    def mean(self, values: Sequence[float]) -> list[float]:
        """Each value averaged over all processes."""
        own = torch.tensor(list(values), dtype=torch.float64, device=self.device)
        return (self.total(own) / self.count).tolist()

    def spread(self, count: int, work: Callable[[Sequence[int]], list[Result]]) -> list[Result]:
        """Results of ``work`` for 0 to ``count - 1``, in that order, known to all.

        Each process takes every ``self.count``-th, so that large neighbours do not fall to one.
        """
        shares: list[list[Result]] = [[] for _ in range(self.count)]
        distributed.all_gather_object(shares, work(range(self.rank, count, self.count)))
        return [shares[number % self.count][number // self.count] for number in range(count)]

    def any_of(self, flag: bool) -> bool:
        """Whether any process says so."""
        return bool(self.total(torch.tensor(int(flag), device=self.device)))

    def from_writer(self, read: Callable[[], Result]) -> Result:
        """What ``read`` gives the writer; the others need not see the writer's files.

        Raises:
            MedSegAIError: what ``read`` raised, in every process.
        """
        box: list[object] = [_result_or_error(read) if self.is_writer else None]
        distributed.broadcast_object_list(box, src=0)
        if isinstance(box[0], MedSegAIError):
            raise box[0]
        return box[0]

    def barrier(self) -> None:
        """Wait until all processes are here."""
        distributed.barrier()


def _result_or_error(read: Callable[[], object]) -> object:
    try:
        return read()
    except MedSegAIError as error:
        return error
