"""The clocks of the benchmark."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from MedSegAI.Logic.bench.measure import Action, Unit

MIB = 1 << 20


@dataclass(frozen=True)
class Reading:
    """What one run of one contestant took.

    Args:
        cpu_seconds: Of all threads of the process.
        wall_seconds: As a clock on the wall shows.
        gpu_seconds: Between two events on the GPU; None where there is no GPU.
        mebibytes: Peak memory beyond what was loaded before; None where it was not measured.
    """

    cpu_seconds: float
    wall_seconds: float
    gpu_seconds: float | None = None
    mebibytes: float | None = None

    def of(self, unit: Unit) -> float | None:
        """The figure in this unit; None where it was not measured."""
        return {
            Unit.CPU_SECONDS: self.cpu_seconds,
            Unit.WALL_SECONDS: self.wall_seconds,
            Unit.GPU_SECONDS: self.gpu_seconds,
            Unit.PEAK_MEMORY: self.mebibytes,
        }[unit]


class Clock(Protocol):
    """Runs an action and reads what it took."""

    def read(self, action: Action) -> tuple[Any, Reading]:
        """The action's answer, and the reading."""


class ProcessorClock:
    """CPU seconds of this process, all threads, and seconds on the wall."""

    def read(self, action: Action) -> tuple[Any, Reading]:
        """As :meth:`Clock.read`."""
        wall, processor = time.perf_counter(), time.process_time()
        answer = action()
        return answer, Reading(time.process_time() - processor, time.perf_counter() - wall)


class GpuClock:
    """Waits for the GPU before and after, and reads the time between two events on it and the memory at its height.

    Never run on a GPU so far: the sequence of calls is tested, the figures are not.

    Args:
        cuda: ``torch.cuda``.
    """

    def __init__(self, cuda: Any) -> None:
        self._cuda = cuda

    def read(self, action: Action) -> tuple[Any, Reading]:
        """As :meth:`Clock.read`."""
        cuda = self._cuda
        cuda.synchronize()
        cuda.reset_peak_memory_stats()
        before = cuda.memory_allocated()
        begin, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
        wall, processor = time.perf_counter(), time.process_time()
        begin.record()
        answer = action()
        end.record()
        cuda.synchronize()
        taken = time.process_time() - processor, time.perf_counter() - wall
        peak = (cuda.max_memory_allocated() - before) / MIB
        return answer, Reading(*taken, gpu_seconds=begin.elapsed_time(end) / 1000, mebibytes=peak)


@dataclass(frozen=True)
class OwnReading:
    """The answer of an action that ran elsewhere, in a process of its own, and brings its own reading."""

    answer: Any
    reading: Reading


class OwnReadingClock:
    """Takes the readings that the actions bring."""

    def read(self, action: Action) -> tuple[Any, Reading]:
        """As :meth:`Clock.read`; the action must give an :class:`OwnReading`."""
        own: OwnReading = action()
        return own.answer, own.reading


def interleaved_medians(work: Mapping[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Median CPU seconds of each action; the actions take turns, so that a slow moment hits all of them."""
    clock, seconds = ProcessorClock(), {name: [] for name in work}
    for _ in range(runs):
        for name, action in work.items():
            seconds[name].append(clock.read(action)[1].cpu_seconds)
    return {name: statistics.median(found) for name, found in seconds.items()}
