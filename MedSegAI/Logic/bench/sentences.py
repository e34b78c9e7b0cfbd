"""Figures of the benchmark in words."""

from __future__ import annotations

from MedSegAI.Logic.bench.measure import Figure, Target, Unit
from MedSegAI.Logic.bench.record import CaseRecord, ContestantRecord


def case_sentence(case: CaseRecord) -> str:
    """One line about a case, as it is told while the benchmark runs."""
    if case.problem:
        return f"{case.name}: not measured. {case.problem}"
    return f"{case.name}: " + "; ".join(_contestant(case, one) for one in case.contestants) + "."


def figure(value: float | None, unit: Unit) -> str:
    """A figure with its unit and about three digits; "-" where there is none."""
    if value is None:
        return "-"
    if unit is Unit.PEAK_MEMORY:
        return f"{value:.0f} MiB"
    return f"{value * 1000:.{0 if value >= 0.01 else 2}f} ms" if value < 1 else f"{value:.2f} s"


def times(ratio: float | None) -> str:
    """How many times faster; "-" where it was not measured."""
    if ratio is None:
        return "-"
    return f"{ratio:.1f}x" if ratio >= 10 else f"{ratio:.2f}x"


def parity_words(one: ContestantRecord) -> str:
    """How a contestant's answer compares, in words."""
    return "; ".join(
        f"{parity.what} {parity.value:.2g}" + ("" if parity.holds else f", more than {parity.limit:.2g}: NOT THE SAME")
        for parity in one.parity
    )


def target_words(case: CaseRecord, target: Target) -> str:
    """A target and whether it is reached."""
    reached = {True: "reached", False: "missed", None: "not measured"}[case.reached(target)]
    bound = {
        Figure.TIMES_FASTER: f"at least {target.bound:g}x",
        Figure.SHARE: f"at most {target.bound:g} of {case.reference or 'the reference'}",
        Figure.SECONDS: f"at most {target.bound:g} s",
    }[target.figure]
    return f"{bound}: {reached}"


def _contestant(case: CaseRecord, one: ContestantRecord) -> str:
    if one.absent or one.failed:
        return f"{one.name} {one.absent or one.failed}"
    told = f"{one.name} {figure(one.median(case.unit), case.unit)}"
    return told if one.name == case.reference else f"{told} ({times(case.ratio(one.name))})"
