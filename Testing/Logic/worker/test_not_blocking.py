"""A face polls from its main thread: no call may keep it from drawing, however large the scan or bad the worker.

The limit here is generous, because continuous integration runs on noisy machines; an idle one stays below 0.05 s.
"""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest

from MedSegAI.Logic.errors import Cancelled, WorkerError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.volume import Modality, Unit, Volume
from MedSegAI.Logic.worker.runner import SubprocessRunner

LONGEST_SECONDS = 0.25
SHAPE = (300, 512, 512)
CORNER = Box((0, 0, 0), (4, 4, 4))
ENDLESS = 10**9


@pytest.fixture(scope="module")
def large_scan():
    array = np.random.default_rng(0).integers(-1000, 1000, SHAPE, dtype=np.int16)
    return Volume(array, Grid(SHAPE), Modality.CT, Unit.HOUNSFIELD, "a large scan")


@pytest.fixture
def runner(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with SubprocessRunner(cancel_seconds=0.3) as runner:
        yield runner
    assert list(tmp_path.iterdir()) == []


class Heartbeat:
    """Keeps the most that one call computed on the caller's thread, however busy the computer is."""

    def __init__(self):
        self.longest = 0.0

    def __call__(self, action, *arguments, **options):
        before = time.thread_time()
        value = action(*arguments, **options)
        self.longest = max(self.longest, time.thread_time() - before)
        return value


def start(heartbeat, runner, scan, *, rounds=1):
    return heartbeat(runner.start_check, scan, rounds=rounds, reporter=SilentReporter())


def poll_to_the_end(heartbeat, job):
    while not heartbeat(job.poll, timeout=0.005):
        pass


def test_a_large_scan_goes_to_the_worker_and_back_while_the_face_draws(runner, large_scan):
    heartbeat = Heartbeat()
    job = start(heartbeat, runner, large_scan)
    poll_to_the_end(heartbeat, job)
    volume, total = heartbeat(job.result)
    assert heartbeat.longest < LONGEST_SECONDS
    assert total == large_scan.array.sum(dtype=np.float64)
    np.testing.assert_array_equal(volume.array, large_scan.array)


def test_a_job_cancelled_while_its_scan_is_written_leaves_nothing(runner, large_scan, tmp_path):
    heartbeat = Heartbeat()
    job = start(heartbeat, runner, large_scan)
    heartbeat(job.cancel)
    started = time.monotonic()
    poll_to_the_end(heartbeat, job)
    assert time.monotonic() - started < 20
    with pytest.raises(Cancelled):
        job.result()
    assert heartbeat.longest < LONGEST_SECONDS
    (folder,) = tmp_path.iterdir()
    assert [path.name for path in folder.iterdir()] == ["worker.log"]


def test_closing_while_a_scan_is_written_leaves_nothing(runner, large_scan, tmp_path):
    job = start(Heartbeat(), runner, large_scan)
    runner.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Cancelled):
        job.wait()


@pytest.mark.skipif(os.name != "posix", reason="stops a process with a POSIX signal")
def test_ending_a_hung_worker_does_not_hang_the_face(runner, large_scan):
    heartbeat = Heartbeat()
    job = start(heartbeat, runner, large_scan.crop(CORNER), rounds=ENDLESS)
    while not job._accepted:
        heartbeat(job.poll, timeout=0.005)
    os.kill(runner.worker_pid, signal.SIGSTOP)
    heartbeat(job.cancel)
    poll_to_the_end(heartbeat, job)
    assert runner.worker_pid is None
    with pytest.raises(Cancelled):
        job.result()
    assert heartbeat.longest < LONGEST_SECONDS


@pytest.mark.skipif(os.name != "posix", reason="kills a process with a POSIX signal")
def test_learning_why_a_worker_died_does_not_hang_the_face(runner, large_scan):
    heartbeat = Heartbeat()
    job = start(heartbeat, runner, large_scan.crop(CORNER), rounds=ENDLESS)
    while not job._accepted:
        heartbeat(job.poll, timeout=0.005)
    os.kill(runner.worker_pid, signal.SIGKILL)
    poll_to_the_end(heartbeat, job)
    with pytest.raises(WorkerError, match=r"killed \(signal 9\)"):
        job.result()
    assert heartbeat.longest < LONGEST_SECONDS
