"""The worker under Qt's process class does what it does under Python's own, without a thread that listens."""

from __future__ import annotations

import importlib
import os
import queue
import signal
import sys
import time
import types
from pathlib import Path

import numpy as np
import psutil
import pytest

from MedSegAI.Logic.errors import Cancelled, WorkerError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.volume import Modality, Unit, Volume
from MedSegAI.Logic.worker.protocol import Cancel, Ready, encode

SCAN = Volume(np.arange(24, dtype=np.int16).reshape(2, 3, 4), Grid((2, 3, 4)), Modality.CT, Unit.HOUNSFIELD, "a scan")
LARGE_SHAPE = (300, 512, 512)
ENDLESS = 10**9
LONGEST_SECONDS = 0.25


@pytest.fixture(scope="module")
def process_runner():
    """The module over a real Qt; its names have no properties or signals, so PythonQt's habits are not needed."""
    core = pytest.importorskip("PySide6.QtCore", reason="PySide6 is not installed")
    namespace = types.ModuleType("qt")
    namespace.QProcess, namespace.QIODevice = core.QProcess, core.QIODevice
    namespace.QProcessEnvironment = core.QProcessEnvironment
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "qt", namespace)
        patch.delitem(sys.modules, "MedSegAI.Widgets.process_runner", raising=False)
        yield importlib.import_module("MedSegAI.Widgets.process_runner")
        del sys.modules["MedSegAI.Widgets.process_runner"]


@pytest.fixture
def runner(process_runner, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with process_runner.process_runner() as runner:
        yield runner
    assert [path for path in tmp_path.iterdir() if path.name.startswith("medsegai-")] == []


@pytest.fixture
def a_worker_that(tmp_path):
    """The path of an "interpreter" that runs the given Python code in place of the worker."""

    def write(code):
        script = tmp_path / "worker.py"
        script.write_text(f"#!{sys.executable}\nimport sys, time\n{code}\n")
        script.chmod(0o755)
        return str(script)

    return write


class Heartbeat:
    """Keeps the longest time that one call took."""

    def __init__(self):
        self.longest = 0.0

    def __call__(self, action, *arguments, **options):
        before = time.perf_counter()
        value = action(*arguments, **options)
        self.longest = max(self.longest, time.perf_counter() - before)
        return value

    def poll_to_the_end(self, job):
        while not self(job.poll, timeout=0.005):
            pass


def check(runner, scan=SCAN, *, rounds=1):
    return runner.start_check(scan, rounds=rounds, reporter=SilentReporter())


def until_accepted(job):
    while not job._accepted:
        assert not job.poll(timeout=0.05)


def test_a_volume_goes_through_the_worker_and_back_unchanged_and_the_worker_stays_warm(runner):
    volume, total = check(runner).wait()
    np.testing.assert_array_equal(volume.array, SCAN.array)
    assert total == SCAN.array.sum()
    first = runner.worker_pid
    assert first is not None
    check(runner).wait()
    assert runner.worker_pid == first


@pytest.fixture(scope="module")
def large_scan():
    array = np.random.default_rng(0).integers(-1000, 1000, LARGE_SHAPE, dtype=np.int16)
    return Volume(array, Grid(LARGE_SHAPE), Modality.CT, Unit.HOUNSFIELD)


def test_a_large_scan_goes_to_the_worker_and_back_while_the_face_draws(runner, large_scan):
    heartbeat = Heartbeat()
    job = heartbeat(check, runner, large_scan)
    heartbeat.poll_to_the_end(job)
    assert job.result()[1] == large_scan.array.sum(dtype=np.float64)
    assert heartbeat.longest < LONGEST_SECONDS


def test_it_goes_there_and_back_as_well_where_other_threads_run_only_while_the_job_is_polled(runner, large_scan):
    """As in Slicer, whose main loop does not let go of the interpreter between two ticks of a timer."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        job = check(runner, large_scan)
        deadline = time.monotonic() + 20
        while not job.poll(timeout=0.01):
            until = time.perf_counter() + 0.03
            while time.perf_counter() < until:
                pass
            assert time.monotonic() < deadline
    finally:
        sys.setswitchinterval(before)
    assert job.result()[1] == large_scan.array.sum(dtype=np.float64)


def test_polling_without_waiting_hears_the_worker_too(runner):
    job = check(runner)
    deadline = time.monotonic() + 30
    while not job.poll():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert job.result()[1] == SCAN.array.sum()


def test_a_worker_that_listens_survives_a_cancel(runner):
    job = check(runner, rounds=ENDLESS)
    until_accepted(job)
    pid = runner.worker_pid
    job.cancel()
    with pytest.raises(Cancelled):
        job.wait()
    check(runner).wait()
    assert runner.worker_pid == pid


@pytest.mark.skipif(os.name != "posix", reason="stops a process with a POSIX signal")
def test_a_hung_worker_is_ended_without_hanging_the_face(runner):
    runner._limits["cancel_seconds"] = 0.2
    job = check(runner, rounds=ENDLESS)
    until_accepted(job)
    pid = runner.worker_pid
    os.kill(pid, signal.SIGSTOP)
    heartbeat = Heartbeat()
    heartbeat(job.cancel)
    heartbeat.poll_to_the_end(job)
    with pytest.raises(Cancelled):
        job.result()
    assert heartbeat.longest < LONGEST_SECONDS
    assert not psutil.pid_exists(pid)
    check(runner).wait()


@pytest.mark.skipif(os.name != "posix", reason="kills a process with a POSIX signal")
def test_a_worker_killed_mid_run_is_a_sentence_and_the_next_job_gets_a_new_one(runner):
    job = check(runner, rounds=ENDLESS)
    until_accepted(job)
    pid = runner.worker_pid
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match=r"killed \(signal 9\)"):
        job.wait()
    check(runner).wait()
    assert runner.worker_pid != pid


def test_a_worker_that_left_after_its_idle_time_is_replaced(runner):
    runner._idle_seconds = 0.1
    check(runner).wait()
    first = runner._processes[0].pid
    while runner.worker_pid is not None:
        time.sleep(0.05)
    check(runner).wait()
    assert runner._processes[0].pid != first


def test_closing_ends_a_busy_worker(runner):
    job = check(runner, rounds=ENDLESS)
    until_accepted(job)
    pid = runner.worker_pid
    runner.close()
    assert not psutil.pid_exists(pid)
    with pytest.raises(Cancelled):
        job.wait()


def test_an_interpreter_that_does_not_exist_is_a_sentence(process_runner, tmp_path):
    runner = process_runner.process_runner(python=str(tmp_path / "nowhere"))
    with runner, pytest.raises(WorkerError, match="nowhere"):
        check(runner)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("sys.exit('No module named MedSegAI.')", r"exit code 1\) before it had finished: No module named MedSegAI\."),
        ("print('Willkommen, größter Gast!', flush=True); time.sleep(60)", "'Willkommen, größter Gast!' is not part"),
        (f"print({encode(Ready(99, 1, {}))!r}, end='', flush=True); time.sleep(60)", "version 99"),
    ],
)
def test_a_worker_that_misbehaves_is_a_sentence_and_is_gone(process_runner, a_worker_that, code, sentence):
    with process_runner.process_runner(python=a_worker_that(code)) as runner:
        job = check(runner)
        pid = runner._processes[0].pid
        with pytest.raises(WorkerError, match=sentence):
            job.wait()
        assert not psutil.pid_exists(pid)


@pytest.mark.skipif(os.name != "posix", reason="the launcher is a POSIX shell")
def test_stopping_ends_the_worker_behind_a_launcher_too(process_runner, tmp_path):
    """PythonSlicer starts the real interpreter as its child and waits for it."""
    launcher = tmp_path / "PythonSlicer"
    launcher.write_text(f'#!/bin/sh\n{sys.executable} "$@"\nexit $?\n')
    launcher.chmod(0o755)
    folder = tmp_path / "private"
    folder.mkdir()
    process = process_runner.QtProcess(folder, python=str(launcher), idle_seconds=60)
    assert isinstance(process.next_event(timeout=30), Ready)
    worker = process.ready.process
    assert worker != process.pid
    process.stop()
    process.close()
    assert not process.is_alive
    assert _is_gone(worker, within=5.0)


def test_a_process_that_has_ended_takes_no_lines_and_says_so_once(process_runner, a_worker_that, tmp_path):
    process = process_runner.QtProcess(Path(tmp_path), python=a_worker_that("sys.exit(0)"), idle_seconds=1)
    assert process.next_event(timeout=10) is None
    with pytest.raises(queue.Empty):
        process.next_event(timeout=0)
    assert process.ended_well
    assert not process.send(Cancel(1))
    process.stop()
    process.close()


def _is_gone(pid, *, within):
    """Whether a process that is nobody's child here ends in time; told to end, it still needs a moment."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False
