"""Now against then: only what changed by more than the scatter counts."""

from __future__ import annotations

import dataclasses

import pytest

from MedSegAI.Logic.bench.comparison import Verdict, compare
from MedSegAI.Logic.bench.measure import Unit
from Testing.Logic.bench.contests import MACHINE, a_record

SLOW = [10.0, 10.0, 10.0]


@pytest.mark.parametrize(
    ("now", "then", "verdict"),
    [
        ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], Verdict.SAME),
        ([1.09, 1.09, 1.09], [1.0, 1.0, 1.0], Verdict.SAME),
        ([1.2, 1.2, 1.2], [1.0, 1.0, 1.0], Verdict.SLOWER),
        ([1.0, 1.0, 1.0], [1.2, 1.2, 1.2], Verdict.FASTER),
        # The same change within the scatter of one of the runs.
        ([1.2, 1.2, 1.2], [0.9, 1.0, 1.1], Verdict.SAME),
        ([1.2, 1.2], [1.0, 1.0, 1.0], Verdict.UNCLEAR),
    ],
)
def test_a_change_counts_beyond_a_tenth_and_beyond_the_scatter(now, then, verdict):
    compared = compare(a_record(SLOW[: len(now)], now), a_record(SLOW, then))
    (change,) = compared.changes
    assert change.verdict is verdict
    assert change.where == "Spinning, one: ours"
    assert bool(compared.slower) == (verdict is Verdict.SLOWER)


def test_a_machine_twice_as_fast_is_not_twice_the_program():
    other = dataclasses.replace(MACHINE, processor="Faster")
    compared = compare(a_record([5.0] * 3, [0.5] * 3, machine=other), a_record(SLOW, [1.0] * 3))
    assert compared.changes[0].verdict is Verdict.SAME
    assert compared.changes[0].factor == pytest.approx(1.0)
    assert compared.remarks == (f"The earlier run was on another machine: {MACHINE.words()}.",)


@pytest.mark.parametrize(("processor", "verdict"), [("Other", Verdict.UNCLEAR), (MACHINE.processor, Verdict.SLOWER)])
def test_seconds_are_compared_on_the_same_machine_only(processor, verdict):
    machine = dataclasses.replace(MACHINE, processor=processor)
    now = a_record([], [2.0, 2.0, 2.0], unit=Unit.WALL_SECONDS, machine=machine, reference="ours")
    then = a_record([], [1.0, 1.0, 1.0], unit=Unit.WALL_SECONDS, reference="ours")
    (change,) = compare(now, then).changes
    assert (change.verdict, change.unit, change.now, change.then) == (verdict, Unit.WALL_SECONDS, 2.0, 1.0)


def test_what_is_in_one_run_only_is_said_to_be():
    now, then = a_record(SLOW, [1.0] * 3), a_record(SLOW, [1.0] * 3)
    empty = dataclasses.replace(then, measures=())
    assert [change.verdict for change in compare(now, empty).changes] == [Verdict.ALONE]
    assert compare(empty, now).changes == ()
    in_other_unit = a_record(SLOW, [1.0] * 3, unit=Unit.PEAK_MEMORY)
    assert compare(now, in_other_unit).changes[0].verdict is Verdict.ALONE
    never_measured = a_record(SLOW, [])
    assert compare(now, never_measured).changes[0].verdict is Verdict.ALONE


def test_other_versions_and_conditions_are_told():
    now = dataclasses.replace(a_record(SLOW, [1.0] * 3), versions={"torch": "3", "numpy": "2"})
    then = dataclasses.replace(now, versions={"torch": "2"}, conditions={**now.conditions, "threads": 4})
    then = dataclasses.replace(then, complete=False)
    assert compare(now, then).remarks == (
        "Other versions then: torch 2, now 3.",
        "Other conditions then: threads 4, now 1.",
        "The earlier run was stopped before its end.",
    )
