"""Work on another thread: it can be waited for, asked to stop, and its error is not lost."""

from __future__ import annotations

import threading
import weakref

import pytest

from MedSegAI.Logic.worker.background_task import BackgroundTask


def test_work_runs_elsewhere_while_the_caller_goes_on():
    may_end = threading.Event()

    def work(stopped):
        may_end.wait()
        return threading.current_thread()

    task = BackgroundTask(work, name="working")
    assert not task.wait(timeout=0.01)
    may_end.set()
    assert task.wait(timeout=5)
    assert task.result().name == "working"
    assert task.result() is not threading.current_thread()


def test_what_the_work_raises_is_raised_where_the_result_is_asked_for():
    task = BackgroundTask(lambda stopped: 1 // 0, name="failing")
    task.wait()
    with pytest.raises(ZeroDivisionError):
        task.result()


def test_work_learns_that_it_should_stop():
    asked = threading.Event()

    def work(stopped):
        while not stopped():
            asked.set()
        return "stopped"

    task = BackgroundTask(work, name="long")
    asked.wait()
    task.stop()
    assert task.wait(timeout=5)
    assert task.result() == "stopped"


def test_what_the_work_holds_is_let_go_with_its_end():
    class Scan:
        pass

    scan = Scan()
    seen = weakref.ref(scan)
    task = BackgroundTask(lambda stopped, scan=scan: None, name="writing")
    del scan
    task.wait()
    for thread in threading.enumerate():
        if thread.name == "writing":
            thread.join()
    assert seen() is None
    assert task.result() is None
