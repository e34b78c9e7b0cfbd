"""The clocks read what an action takes, and give its answer back."""

from __future__ import annotations

import time

import pytest

from MedSegAI.Logic.bench.clock import (
    MIB,
    GpuClock,
    OwnReading,
    OwnReadingClock,
    ProcessorClock,
    Reading,
    interleaved_medians,
)
from MedSegAI.Logic.bench.measure import Unit


def spin(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_waiting_costs_seconds_on_the_wall_and_no_cpu_seconds():
    answer, reading = ProcessorClock().read(lambda: time.sleep(0.05) or "done")
    assert answer == "done"
    assert reading.wall_seconds >= 0.05
    assert reading.cpu_seconds < 0.04
    assert reading.of(Unit.GPU_SECONDS) is None
    assert reading.of(Unit.PEAK_MEMORY) is None


def test_work_costs_cpu_seconds():
    _, reading = ProcessorClock().read(lambda: spin(0.05))
    assert 0.05 <= reading.of(Unit.CPU_SECONDS) < 0.2


def test_what_ran_elsewhere_brings_its_own_reading():
    reading = Reading(1.0, 2.0, mebibytes=3.0)
    assert OwnReadingClock().read(lambda: OwnReading("labels", reading)) == ("labels", reading)
    assert reading.of(Unit.PEAK_MEMORY) == 3.0


def test_interleaved_medians_take_turns():
    order = []
    medians = interleaved_medians({"a": lambda: order.append("a"), "b": lambda: order.append("b") or spin(0.01)}, 3)
    assert order == ["a", "b"] * 3
    assert medians["b"] >= 0.01 > medians["a"]


class RecordedCuda:
    """Stands for ``torch.cuda``, which no machine of ours has: writes down what is called, and when."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def synchronize(self) -> None:
        self.calls.append("synchronize")

    def reset_peak_memory_stats(self) -> None:
        self.calls.append("reset")

    def memory_allocated(self) -> int:
        return 10 * MIB

    def max_memory_allocated(self) -> int:
        return 25 * MIB

    def Event(self, *, enable_timing: bool) -> RecordedEvent:  # noqa: N802 - torch's name
        assert enable_timing
        return RecordedEvent(self.calls)


class RecordedEvent:
    def __init__(self, calls: list[str]) -> None:
        self.calls = calls

    def record(self) -> None:
        self.calls.append("record")

    def elapsed_time(self, end: RecordedEvent) -> float:
        assert self.calls[-1] == "synchronize", "the time between events is known only once the GPU is done"
        return 1500.0


def test_a_gpu_is_waited_for_before_and_after_and_its_own_clock_is_read():
    cuda = RecordedCuda()
    answer, reading = GpuClock(cuda).read(lambda: cuda.calls.append("work") or "logits")
    assert answer == "logits"
    assert cuda.calls == ["synchronize", "reset", "record", "work", "record", "synchronize"]
    assert reading.of(Unit.GPU_SECONDS) == pytest.approx(1.5)
    assert reading.of(Unit.PEAK_MEMORY) == pytest.approx(15)
