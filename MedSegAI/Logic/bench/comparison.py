"""Now against then: which of ours became slower, by more than the scatter of the two runs explains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from MedSegAI.Logic.bench.measure import Unit
from MedSegAI.Logic.bench.record import BenchRecord, CaseRecord, spread

LEAST_CHANGE = 0.10
SPREADS = 3.0
RULE = (
    f"Slower (or faster) is what changed by more than {LEAST_CHANGE:.0%} and by more than {SPREADS:.0f} times the "
    "scatter of the two runs together: the root of the sum of the squares of both, each 1.48 times the median "
    "distance from the median. What has a reference is judged by how many times faster it was than the reference in "
    "the same round, so that another machine or a busy moment does not count; what has none is judged by its seconds, "
    "on the same kind of machine only. With fewer than three rounds nothing can be said."
)


class Verdict(str, Enum):
    """What became of a contestant's speed."""

    SAME = "same"
    SLOWER = "slower"
    FASTER = "faster"
    UNCLEAR = "cannot be said"
    ALONE = "only in one of the two"


@dataclass(frozen=True)
class Change:
    """One contestant of ours in both runs.

    Args:
        where: Measure, case and contestant.
        unit: Of ``now`` and ``then``; None where they are how many times faster it was than the reference.
        now: The figure now; None where it was not measured.
        then: The figure in the earlier run.
        factor: How many times faster it is now than then.
        threshold: The change, relative, that would be called one.
        verdict: What became of it.
    """

    where: str
    unit: Unit | None
    now: float | None
    then: float | None
    factor: float | None
    threshold: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Comparison:
    """All of ours in two runs.

    Args:
        changes: In the order of the newer run.
        remarks: What a reader should know, such as that it was another machine.
    """

    changes: tuple[Change, ...]
    remarks: tuple[str, ...]

    @property
    def slower(self) -> tuple[Change, ...]:
        """What became slower."""
        return tuple(change for change in self.changes if change.verdict is Verdict.SLOWER)


def compare(now: BenchRecord, then: BenchRecord) -> Comparison:
    """Hold a run against an earlier one, case by case."""
    same_machine = now.machine == then.machine
    old = {(measure.name, case.name): case for measure, case in then.all_cases}
    changes = []
    for measure, case in now.all_cases:
        earlier = old.get((measure.name, case.name))
        for one in case.contestants:
            if one.ours and not one.absent:
                where = f"{measure.title}, {case.name}: {one.name}"
                changes.append(_change(where, one.name, case, earlier, same_machine=same_machine))
    return Comparison(tuple(changes), _remarks(now, then))


def _change(where: str, name: str, now: CaseRecord, then: CaseRecord | None, *, same_machine: bool) -> Change:
    alone = Change(where, None, now.ratio(name), None, None, None, Verdict.ALONE)
    if then is None or then.contestant(name) is None or then.unit is not now.unit:
        return alone
    beside = name != now.reference and now.reference == then.reference
    if beside and now.ratio(name) is not None and then.ratio(name) is not None:
        return _judged(where, None, now.ratios(name), then.ratios(name), now.ratio(name), then.ratio(name))
    ours_now, ours_then = now.contestant(name), then.contestant(name)
    if not ours_now.figures(now.unit) or not ours_then.figures(now.unit):
        return alone
    speeds = [[1 / value for value in one.figures(now.unit) if value > 0] for one in (ours_now, ours_then)]
    medians = ours_now.median(now.unit), ours_then.median(now.unit)
    found = _judged(where, now.unit, *speeds, *medians)
    if same_machine and now.threads == then.threads:
        return found
    return Change(where, now.unit, *medians, None, None, Verdict.UNCLEAR)


def _judged(
    where: str, unit: Unit | None, speeds_now: list[float], speeds_then: list[float], now: float, then: float
) -> Change:
    factor = now / then if unit is None else then / now if now else None
    spreads = spread(speeds_now), spread(speeds_then)
    if None in spreads or not factor:
        return Change(where, unit, now, then, factor, None, Verdict.UNCLEAR)
    threshold = max(LEAST_CHANGE, SPREADS * math.hypot(*spreads))
    # A factor and its inverse are equally large changes.
    change = max(factor, 1 / factor) - 1
    verdict = Verdict.SAME if change <= threshold else Verdict.FASTER if factor > 1 else Verdict.SLOWER
    return Change(where, unit, now, then, factor, threshold, verdict)


def _remarks(now: BenchRecord, then: BenchRecord) -> tuple[str, ...]:
    found = []
    if now.machine != then.machine:
        found.append(f"The earlier run was on another machine: {then.machine.words()}.")
    differ = sorted(name for name in now.versions if then.versions.get(name) not in (None, now.versions[name]))
    if differ:
        listed = ", ".join(f"{name} {then.versions[name]}, now {now.versions[name]}" for name in differ)
        found.append(f"Other versions then: {listed}.")
    if now.conditions != then.conditions:
        listed = ", ".join(
            f"{name} {then.conditions.get(name)}, now {value}"
            for name, value in now.conditions.items()
            if then.conditions.get(name) != value
        )
        found.append(f"Other conditions then: {listed}.")
    if not then.complete:
        found.append("The earlier run was stopped before its end.")
    return tuple(found)
