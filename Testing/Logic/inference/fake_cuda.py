"""Streams, events and graphs as ``torch.cuda`` has them, strict, on the CPU: there is no GPU to test on.

A copy to the "GPU" is done only when a stream is waited for, and until then the target holds NaN. A graph records each
operation of torch and repeats it on the very same tensors; what a real capture forbids (reading a number back, copying
from ordinary memory) raises as it does there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

FORBIDDEN_WHILE_RECORDING = ("_local_scalar_dense", "aten.item", "aten.nonzero", "aten.masked_select")


class Event:
    """A place in a stream's queue."""

    def __init__(self, stream: Stream) -> None:
        self.stream, self.place = stream, len(stream.queue)


class Stream:
    """Work in order, done when somebody waits for it."""

    def __init__(self, device: object = None) -> None:
        self.device, self.queue, self.done = device, [], 0

    def record_event(self) -> Event:
        return Event(self)

    def wait_event(self, event: Event) -> None:
        event.stream.run_until(event.place)

    def wait_stream(self, other: Stream) -> None:
        other.run_until(len(other.queue))

    def run_until(self, place: int) -> None:
        for work in self.queue[self.done : place]:
            work()
        self.done = max(self.done, place)


class Recorder(TorchDispatchMode):
    """Notes every operation with the tensors that it took and gave."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[Callable, tuple, dict, list[Tensor]]] = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        if any(name in str(operation) for name in FORBIDDEN_WHILE_RECORDING):
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nCompile with ...")
        given = operation(*args, **(kwargs or {}))
        self.operations.append((operation, args, kwargs or {}, tensors_in(given)))
        return given


class Graph:
    """What a recorder noted, to be done again."""

    def __init__(self) -> None:
        self.operations: list = []
        self.replays = 0

    def replay(self) -> None:
        self.replays += 1
        with torch.inference_mode():
            for operation, args, kwargs, results in self.operations:
                for old, new in zip(results, tensors_in(operation(*args, **kwargs)), strict=True):
                    if new is not old:
                        old.copy_(new)


def tensors_in(values: object) -> list[Tensor]:
    return [value for value in tree_flatten(values)[0] if isinstance(value, Tensor)]


class Pinned:
    """Windows in pinned memory."""

    def __init__(self, windows: np.ndarray, cuda: FakeCuda) -> None:
        self._windows, self._cuda = torch.from_numpy(windows.copy()), cuda

    def to(self, device: str, *, non_blocking: bool) -> Tensor:
        assert non_blocking
        self._cuda.uploads += 1
        if self._cuda.room is not None and self._cuda.uploads > self._cuda.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        target = torch.full_like(self._windows, torch.nan)
        stream = self._cuda.current
        if stream is self._cuda.default:
            return target.copy_(self._windows)
        stream.queue.append(lambda: target.copy_(self._windows))
        self._cuda.made_aside.append(target)
        return target.as_subclass(OnGpu)


class OnGpu(Tensor):
    """A tensor that knows which streams read it."""

    read_by: object = None

    def record_stream(self, stream: Stream) -> None:
        self.read_by = stream


class FakeCuda:
    """What takes the place of ``torch.cuda``."""

    def __init__(self) -> None:
        self.default = self.current = Stream()
        self.graphs: list[Graph] = []
        self.made_aside: list[Tensor] = []
        self.uploads = 0
        self.room: int | None = None

    @contextlib.contextmanager
    def stream(self, stream: Stream) -> Iterator[None]:
        before, self.current = self.current, stream
        try:
            yield
        finally:
            self.current = before

    @contextlib.contextmanager
    def graph(self, graph: Graph) -> Iterator[None]:
        with Recorder() as recorder:
            yield
        graph.operations = recorder.operations
        self.graphs.append(graph)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> FakeCuda:
        """Put it in the place of torch's own."""
        from MedSegAI.Logic.inference.engines import gpu_copies

        monkeypatch.setattr(torch.cuda, "Stream", Stream)
        monkeypatch.setattr(torch.cuda, "stream", self.stream)
        monkeypatch.setattr(torch.cuda, "current_stream", lambda device=None: self.current)
        monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
        monkeypatch.setattr(torch.cuda, "graph", self.graph)
        monkeypatch.setattr(gpu_copies, "_pinned", lambda windows: Pinned(windows, self))
        return self
