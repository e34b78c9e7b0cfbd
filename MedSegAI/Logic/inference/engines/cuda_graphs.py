"""A network's work on windows of one shape, recorded once on the GPU and then replayed as a whole.

A small network spends more time being launched, operation by operation, than computing; a recorded CUDA graph is one
launch. It can only repeat what it recorded: the same operations on the same memory, so there is one for each shape of
a batch, and windows are copied to where it reads. Not measured on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from MedSegAI.Logic.errors import first_line

SEEN_BEFORE_RECORDING = 3
"""Recording costs a few passes, so a shape must have come this often; a last, smaller batch is never recorded."""


@dataclass(frozen=True, eq=False)
class _Recording:
    graph: Any
    given: Tensor
    result: Tensor


class RecordedForward:
    """Calls a function on batches of the GPU; a shape that comes again and again is recorded and replayed.

    Where recording fails, the function is called as before, and :attr:`refusal` says why.

    Args:
        forward: Batch (n, channels, k, j, i) to logits, both on the GPU; must do the same for every batch of a shape.
    """

    def __init__(self, forward: Callable[[Tensor], Tensor]) -> None:
        self._forward = forward
        self._seen: dict[Hashable, int] = {}
        self._recordings: dict[Hashable, _Recording] = {}
        self.refusal = ""

    @property
    def holds_memory(self) -> bool:
        """Whether recordings keep memory of their own."""
        return bool(self._recordings)

    def __call__(self, batch: Tensor) -> Tensor:
        """The function of a batch; the caller's own tensor, which a later call does not change."""
        key = tuple(batch.shape)
        if key not in self._recordings and not self._may_record(key):
            return self._forward(batch)
        if key not in self._recordings and not self._record(key, batch):
            return self._forward(batch)
        recording = self._recordings[key]
        recording.given.copy_(batch, non_blocking=True)
        recording.graph.replay()
        return recording.result.clone()

    def forget(self, *, why: str = "") -> None:
        """Free what was recorded; with a reason, nothing is recorded any more."""
        self._recordings, self._seen = {}, {}
        self.refusal = why or self.refusal

    def _may_record(self, key: Hashable) -> bool:
        if self.refusal:
            return False
        self._seen[key] = self._seen.get(key, 0) + 1
        return self._seen[key] > SEEN_BEFORE_RECORDING

    def _record(self, key: Hashable, batch: Tensor) -> bool:
        try:
            self._recordings[key] = _recorded(self._forward, batch)
        except torch.OutOfMemoryError:
            self.forget(why="The GPU's memory does not suffice to record the network as a graph: computed without.")
        except RuntimeError as error:
            self.forget(why=f"The GPU could not record the network as a graph ({first_line(error)}): computed without.")
        return key in self._recordings


def _recorded(forward: Callable[[Tensor], Tensor], batch: Tensor) -> _Recording:
    """One pass on a stream of its own, in which libraries choose their kernels and take their memory, then another."""
    given = batch.clone()
    here = torch.cuda.current_stream(batch.device)
    aside = torch.cuda.Stream(batch.device)
    aside.wait_stream(here)
    with torch.cuda.stream(aside):
        forward(given)
    here.wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = forward(given)
    return _Recording(graph, given, result)
