"""What a benchmark found, as it is stored: ``bench.json``."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

from MedSegAI.Logic.bench.clock import Reading
from MedSegAI.Logic.bench.machine import Machine
from MedSegAI.Logic.bench.measure import Figure, Parity, Target, Unit

SCHEMA, SCHEMA_VERSION = "medsegai-bench", 1
_MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True)
class ContestantRecord:
    """One contestant of a case.

    Args:
        name: Who.
        ours: Whether it is of this project.
        readings: Round by round, without the first.
        parity: How its answer compares with the reference's.
        absent: Why it did not take part; empty where it did.
        failed: What it ended with; empty where it ended well.
    """

    name: str
    ours: bool
    readings: tuple[Reading, ...] = ()
    parity: tuple[Parity, ...] = ()
    absent: str = ""
    failed: str = ""

    def figures(self, unit: Unit) -> list[float]:
        """The figure of each round."""
        return [value for reading in self.readings if (value := reading.of(unit)) is not None]

    def median(self, unit: Unit) -> float | None:
        """Median over the rounds; None where there is none."""
        found = self.figures(unit)
        return statistics.median(found) if found else None

    @property
    def sound(self) -> bool:
        """Whether it ran, where it is here, and gave the answer that it should."""
        return not self.failed and all(parity.holds for parity in self.parity)


@dataclass(frozen=True)
class CaseRecord:
    """One case of a measure.

    Args:
        name: The case.
        unit: What is compared.
        reference: The contestant that the others are held against.
        contestants: In the order in which they took turns, absent ones last.
        targets: What ours are meant to reach.
        threads: Threads of each contestant.
        other_cores: Cores that other programs kept busy meanwhile, about; None where it could not be told.
        complete: False where it was stopped half-way.
        problem: Why it could not be measured; empty where it was.
    """

    name: str
    unit: Unit
    reference: str = ""
    contestants: tuple[ContestantRecord, ...] = ()
    targets: tuple[Target, ...] = ()
    threads: int = 1
    other_cores: float | None = None
    complete: bool = True
    problem: str = ""

    def contestant(self, name: str) -> ContestantRecord | None:
        """The contestant of this name."""
        return next((one for one in self.contestants if one.name == name), None)

    def ratios(self, name: str) -> list[float]:
        """Round by round, how many times faster (or smaller) a contestant was than the reference was in that round."""
        reference, one = self.contestant(self.reference), self.contestant(name)
        if reference is None or one is None:
            return []
        return [a / b for a, b in zip(reference.figures(self.unit), one.figures(self.unit)) if b > 0]

    def ratio(self, name: str) -> float | None:
        """Median of the reference over median of the contestant; None where one of them was not measured."""
        reference, one = self.contestant(self.reference), self.contestant(name)
        above = reference.median(self.unit) if reference is not None else None
        below = one.median(self.unit) if one is not None else None
        return above / below if above is not None and below else None

    def reached(self, target: Target) -> bool | None:
        """Whether a target is reached; None where it was not measured."""
        one, ratio = self.contestant(target.contestant), self.ratio(target.contestant)
        if target.figure is Figure.SECONDS:
            seconds = one.median(Unit.WALL_SECONDS) if one is not None else None
            return None if seconds is None else seconds <= target.bound
        if ratio is None:
            return None
        return ratio >= target.bound if target.figure is Figure.TIMES_FASTER else 1 / ratio <= target.bound


@dataclass(frozen=True)
class MeasureRecord:
    """One measure with its cases."""

    name: str
    title: str
    compares: str
    cases: tuple[CaseRecord, ...]


@dataclass(frozen=True)
class BenchRecord:
    """One run of the benchmark.

    Args:
        machine: The machine, in words that name no host.
        versions: Of Python and the packages that took part.
        conditions: Device, threads, rounds, and whether it was quick, as plain values.
        started: ISO 8601 time in UTC.
        seconds: How long it took.
        complete: False where it was stopped.
        remarks: What a reader should know, such as that the machine was busy.
        measures: What was measured, in order.
    """

    machine: Machine
    versions: dict[str, str]
    conditions: dict[str, Any]
    started: str
    seconds: float
    complete: bool
    remarks: tuple[str, ...] = ()
    measures: tuple[MeasureRecord, ...] = field(default=())

    @property
    def all_cases(self) -> list[tuple[MeasureRecord, CaseRecord]]:
        """Each case with its measure."""
        return [(measure, case) for measure in self.measures for case in measure.cases]

    @property
    def unsound(self) -> tuple[str, ...]:
        """What of ours failed or gave another answer, as sentences."""
        return tuple(
            f"{measure.title}, {case.name}: {one.name} {one.failed or _broken(one)}."
            for measure, case in self.all_cases
            for one in case.contestants
            if one.ours and not one.sound
        )


def spread(values: list[float]) -> float | None:
    """How far values scatter about their median, relative to it: a robust standard deviation; None below three values.

    It is 1.48 times the median distance from the median, which for normal scatter is the standard deviation.
    """
    if len(values) < 3:
        return None
    middle = statistics.median(values)
    return _MAD_TO_DEVIATION * statistics.median(abs(value - middle) for value in values) / middle if middle else None


def _broken(one: ContestantRecord) -> str:
    return "gives another answer: " + ", ".join(
        f"{parity.what} {parity.value:.2g} where {parity.limit:.2g} is allowed"
        for parity in one.parity
        if not parity.holds
    )


def to_plain(record: BenchRecord) -> dict[str, Any]:
    """The record as JSON values; medians, ratios and targets reached are written out for other readers."""
    plain = {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **_plain(record)}
    for (_, case), written in zip(record.all_cases, (c for m in plain["measures"] for c in m["cases"])):
        for one, told in zip(case.contestants, written["contestants"]):
            told["median"] = one.median(case.unit)
            told["median_wall_seconds"] = one.median(Unit.WALL_SECONDS)
            told["times_the_reference"] = case.ratio(one.name)
            told["spread"] = spread(one.figures(case.unit))
        for target, told in zip(case.targets, written["targets"]):
            told["reached"] = case.reached(target)
    return plain


def from_plain(plain: dict[str, Any]) -> BenchRecord:
    """The record that :func:`to_plain` described; what it wrote out is worked out again.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: for values that are no such record.
    """
    return BenchRecord(
        machine=Machine(**plain["machine"]),
        versions=dict(plain["versions"]),
        conditions=dict(plain["conditions"]),
        started=str(plain["started"]),
        seconds=float(plain["seconds"]),
        complete=bool(plain["complete"]),
        remarks=tuple(plain["remarks"]),
        measures=tuple(
            MeasureRecord(m["name"], m["title"], m["compares"], tuple(map(_case, m["cases"])))
            for m in plain["measures"]
        ),
    )


def _case(plain: dict[str, Any]) -> CaseRecord:
    return CaseRecord(
        name=plain["name"],
        unit=Unit(plain["unit"]),
        reference=plain["reference"],
        contestants=tuple(map(_contestant, plain["contestants"])),
        targets=tuple(Target(t["contestant"], Figure(t["figure"]), float(t["bound"])) for t in plain["targets"]),
        threads=int(plain["threads"]),
        other_cores=plain["other_cores"],
        complete=bool(plain["complete"]),
        problem=plain["problem"],
    )


def _contestant(plain: dict[str, Any]) -> ContestantRecord:
    return ContestantRecord(
        name=plain["name"],
        ours=bool(plain["ours"]),
        readings=tuple(Reading(**reading) for reading in plain["readings"]),
        parity=tuple(Parity(p["what"], _number(p["value"]), p["limit"]) for p in plain["parity"]),
        absent=plain["absent"],
        failed=plain["failed"],
    )


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _plain(record: BenchRecord) -> dict[str, Any]:
    def value_of(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: value_of(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [value_of(entry) for entry in value]
        if isinstance(value, (Unit, Figure)):
            return value.value
        return value

    return value_of(asdict(record))
