"""What a face shows of work under way."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import WorkerError
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Session import run as run_module
from MedSegAI.Session.run import Outcome, Run, RunKind


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(run_module.time, "monotonic", lambda: Clock.now)
    return Clock


@pytest.fixture
def a_run(clock):
    return Run(RunKind.SEGMENT, started=clock.now)


def test_a_run_is_what_the_worker_reports_to(a_run):
    assert isinstance(a_run, Reporter)


def test_nothing_is_known_before_the_first_step(a_run):
    assert (a_run.percent, a_run.seconds_left) == (0, None)
    a_run.progress(0, 8, "segmenting")
    assert a_run.seconds_left is None


def test_the_time_left_follows_from_the_pace_of_the_steps(a_run, clock):
    clock.now += 50  # Registration took long; it says nothing about the windows.
    a_run.progress(0, 8, "segmenting left hippocampus")
    clock.now += 4
    a_run.progress(2, 8, "segmenting left hippocampus")
    assert (a_run.percent, a_run.seconds_left) == (25, 12)
    clock.now += 6
    a_run.progress(5, 8, "segmenting right hippocampus")
    assert a_run.seconds_left == 6


def test_a_new_stage_is_timed_anew(a_run, clock):
    a_run.progress(0, 10, "one")
    clock.now += 10
    a_run.progress(10, 10, "one")
    a_run.progress(0, 4, "two")
    assert a_run.seconds_left is None
    clock.now += 1
    a_run.progress(1, 4, "two")
    assert a_run.seconds_left == 3


def test_a_run_that_ended_keeps_its_duration_and_its_reason(a_run, clock):
    clock.now += 3
    a_run.end(Outcome.FAILED, error=WorkerError("It died."))
    clock.now += 100
    assert (a_run.seconds, a_run.is_under_way, str(a_run.error)) == (3, False, "It died.")


def test_only_one_that_is_stopping_asks_the_work_to_stop(a_run):
    assert not a_run.cancelled()
    a_run.outcome = Outcome.STOPPING
    assert a_run.cancelled() and a_run.is_under_way
