"""Work on a thread is polled like any other job, and nothing of it reaches the caller but from within a poll."""

from __future__ import annotations

import threading

import pytest

from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.reporter import SilentReporter, raise_if_cancelled
from MedSegAI.Logic.worker.thread_job import ThreadJob


class Watcher(SilentReporter):
    def __init__(self):
        super().__init__()
        self.threads = []

    def progress(self, done, total, stage):
        self.messages.append(f"{stage} {done}/{total}")
        self.threads.append(threading.current_thread())


def test_what_is_reported_arrives_in_order_on_the_callers_thread():
    watcher = Watcher()

    def work(reporter):
        reporter.progress(1, 2, "fusing")
        reporter.message("Half.")
        reporter.progress(2, 2, "fusing")
        return threading.current_thread()

    job = ThreadJob(work, reporter=watcher, name="test")
    assert job.wait() is not threading.current_thread()
    assert watcher.messages == ["fusing 1/2", "Half.", "fusing 2/2"]
    assert set(watcher.threads) == {threading.current_thread()}


def test_a_poll_does_not_wait_for_the_work():
    go = threading.Event()
    job = ThreadJob(lambda _reporter: go.wait(10), reporter=SilentReporter(), name="test")
    assert not job.poll()
    go.set()
    assert job.wait()


@pytest.mark.parametrize("way", ["cancel", "reporter"])
def test_work_that_asks_is_stopped(way):
    class Stopping(SilentReporter):
        def cancelled(self):
            return way == "reporter"

    def work(reporter):
        while True:
            raise_if_cancelled(reporter)

    job = ThreadJob(work, reporter=Stopping(), name="test")
    if way == "cancel":
        job.cancel()
    with pytest.raises(Cancelled):
        job.wait()


def test_an_error_of_the_work_is_the_results():
    def work(_reporter):
        raise InputError("No.")

    job = ThreadJob(work, reporter=SilentReporter(), name="test")
    with pytest.raises(InputError, match="No"):
        job.wait()


def test_an_interrupted_wait_asks_the_work_to_stop():
    stopped = threading.Event()

    class Interrupting(SilentReporter):
        def message(self, text):
            raise KeyboardInterrupt

    def work(reporter):
        reporter.message("go")
        while not reporter.cancelled():
            pass
        stopped.set()

    with pytest.raises(KeyboardInterrupt):
        ThreadJob(work, reporter=Interrupting(), name="test").wait()
    assert stopped.wait(10)
