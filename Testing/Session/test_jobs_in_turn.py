"""Two jobs as one: the second works on what the first found, and none begins that was stopped before."""

from __future__ import annotations

import threading

import pytest

from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.worker.thread_job import ThreadJob
from MedSegAI.Session.jobs_in_turn import JobsInTurn
from MedSegAI.Session.run import Run, RunKind


def job(work):
    return ThreadJob(lambda _reporter: work(), reporter=Run(RunKind.PREPARE), name="a job")


def test_the_second_works_on_what_the_first_found():
    both = JobsInTurn(job(lambda: 3), lambda found: job(lambda: found + 1))
    while not both.poll(timeout=1.0):
        pass
    assert both.result() == 4


def test_what_the_first_fails_with_is_told():
    def fail():
        raise InputError("No scan to follow.")

    both = JobsInTurn(job(fail), lambda _found: pytest.fail("begun all the same"))
    with pytest.raises(InputError, match="No scan to follow"):
        both.poll(timeout=5.0)


def test_stopped_in_the_first_the_second_never_begins():
    goes_on = threading.Event()
    both = JobsInTurn(job(lambda: goes_on.wait(5.0)), lambda _found: pytest.fail("begun all the same"))
    assert not both.poll()
    both.cancel()
    goes_on.set()
    with pytest.raises(Cancelled):
        both.poll(timeout=5.0)
