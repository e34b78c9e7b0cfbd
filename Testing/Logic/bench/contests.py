"""Made-up measures whose speed is known, and records of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from MedSegAI.Logic.bench.clock import Reading
from MedSegAI.Logic.bench.machine import Machine
from MedSegAI.Logic.bench.measure import Case, Conditions, Contest, Figure, Parity, Target, Unit
from MedSegAI.Logic.bench.record import BenchRecord, CaseRecord, ContestantRecord, MeasureRecord


def spin(seconds: float, answer: object = 1) -> Callable[[], object]:
    """What costs so many CPU seconds."""

    def work() -> object:
        end = time.process_time() + seconds
        while time.process_time() < end:
            pass
        return answer

    return work


@dataclass
class Spinning:
    """A measure of two: the slow one is the reference."""

    actions: dict[str, Callable[[], object]] = field(
        default_factory=lambda: {"slow": spin(0.02), "ours": spin(0.004), "broken": broken}
    )
    names: tuple[str, ...] = ("one",)
    name: str = "spinning"
    title: str = "Spinning"
    compares: str = "Two ways to do nothing."
    unit: Unit = Unit.CPU_SECONDS
    uses_network: bool = False

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        return tuple(Case(name, targets=(Target("ours", Figure.TIMES_FASTER, 2.0),)) for name in self.names)

    @contextmanager
    def prepare(self, case: Case, conditions: Conditions) -> Iterator[Contest]:
        absent = {"elsewhere": "not installed: pip install elsewhere"}
        yield Contest("slow", self.actions, frozenset({"ours"}), differences, absent)


def broken() -> None:
    raise ZeroDivisionError("by nothing")


def differences(answers) -> dict[str, tuple[Parity, ...]]:
    return {"ours": (Parity("off by", abs(answers["ours"] - answers["slow"]), 0.5),)}


MACHINE = Machine("Fast Processor 9000", 8, 32.0, "Linux x86_64")


def a_record(
    slow: list[float],
    ours: list[float],
    *,
    unit: Unit = Unit.CPU_SECONDS,
    machine: Machine = MACHINE,
    parity: tuple[Parity, ...] = (Parity("off by", 0.0, 0.1),),
    reference: str = "slow",
) -> BenchRecord:
    """One measure of one case with these seconds."""
    readings = {
        name: tuple(Reading(s, s, mebibytes=s) for s in seconds) for name, seconds in (("slow", slow), ("ours", ours))
    }
    case = CaseRecord(
        "one",
        unit,
        reference,
        (
            *((ContestantRecord("slow", False, readings["slow"]),) if slow else ()),
            ContestantRecord("ours", True, readings["ours"], parity),
            ContestantRecord("elsewhere", False, absent="not installed: pip install elsewhere"),
        ),
        (Target("ours", Figure.TIMES_FASTER, 2.0), Target("ours", Figure.SECONDS, 0.5)),
    )
    conditions = {"quick": False, "device": "cpu", "threads": 1, "rounds": len(ours)}
    measures = (MeasureRecord("spinning", "Spinning", "Two ways to do nothing.", (case,)),)
    return BenchRecord(machine, {"Python": "3.11"}, conditions, "2030-01-01T00:00:00", 60.0, True, (), measures)
