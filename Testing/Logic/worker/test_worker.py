"""The worker process as its parent sees it: lines in, lines out, and an end in every case."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from MedSegAI.Logic.errors import RegionError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Volume
from MedSegAI.Logic.worker import worker as worker_module
from MedSegAI.Logic.worker.handover import put_volume
from MedSegAI.Logic.worker.kept_arrays import KEPT_FOLDER
from MedSegAI.Logic.worker.protocol import PROTOCOL_VERSION, Cancel, Failed, Job, Progress, Ready, decode, encode

SCAN = Volume(np.arange(24, dtype=np.float32).reshape(2, 3, 4), Grid((2, 3, 4)))
ENDLESS = 10**9


class AWorker:
    """A worker process driven line by line."""

    def __init__(self, folder, root, *, idle_seconds=60.0, environment=None):
        self.folder = folder
        command = [sys.executable, "-m", "MedSegAI.Logic.worker.worker", "--folder", str(folder)]
        self.process = subprocess.Popen(
            [*command, "--idle-seconds", str(idle_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd=root,
            env={**os.environ, **(environment or {})},
        )

    def write(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def send(self, message):
        self.write(encode(message))

    def hear(self):
        return decode(self.process.stdout.readline())

    def hear_until(self, *types):
        while True:
            message = self.hear()
            if message.type in types:
                return message

    def check(self, number=1, *, rounds=1):
        job_folder = self.folder / str(number)
        job_folder.mkdir()
        arguments = {"volume": put_volume(SCAN, job_folder, "scan"), "rounds": rounds}
        return Job(number, "check", str(job_folder), arguments)


@pytest.fixture
def start(tmp_path, repository_root):
    started = []

    def begin(**options):
        folder = tmp_path / f"exchange-{len(started)}"
        folder.mkdir(mode=0o700)
        started.append(AWorker(folder, repository_root, **options))
        return started[-1]

    yield begin
    for worker in started:
        worker.process.kill()
        worker.process.wait()
        for pipe in (worker.process.stdin, worker.process.stdout, worker.process.stderr):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def test_it_says_first_that_it_is_ready_and_which_protocol_and_versions_it_has(start):
    worker = start()
    ready = worker.hear()
    assert isinstance(ready, Ready)
    assert (ready.protocol, ready.process) == (PROTOCOL_VERSION, worker.process.pid)
    assert ready.versions["numpy"] == np.__version__


def test_a_job_is_accepted_reports_progress_and_gives_a_result(start):
    worker = start()
    worker.hear()
    worker.send(worker.check(7, rounds=2))
    said = [worker.hear() for _ in range(4)]
    assert [message.type for message in said] == ["accepted", "progress", "progress", "result"]
    assert said[2] == Progress(7, 2, 2, "checking")
    assert said[3].values["sum"] == SCAN.array.sum()
    assert {message.job for message in said} == {7}


@pytest.mark.parametrize(
    "line", ["hello\n", "{}\n", "\n", '{"type":"cancel","job":"one"}\n', "\x00\xff\n", '{"type":"accepted","job":1}\n']
)
def test_a_line_that_is_not_understood_is_answered_with_a_sentence_and_work_goes_on(start, line):
    worker = start()
    worker.hear()
    worker.write(line)
    answer = worker.hear()
    assert isinstance(answer, Failed)
    assert (answer.job, answer.kind) == (None, "WorkerError")
    worker.send(worker.check())
    assert worker.hear_until("result").job == 1


def test_an_unknown_kind_of_job_is_refused_with_what_it_can_do(start):
    worker = start()
    worker.send(Job(1, "dance", str(worker.folder), {}))
    failed = worker.hear_until("error")
    assert (failed.job, failed.kind) == (1, "WorkerError")
    assert "segment, explain, probability, standardise, align, check, examine, warm-up" in failed.advice


def test_an_error_keeps_its_kind_and_advice(start):
    worker = start()
    job = worker.check()
    arguments = {"scans": job.arguments, "model": "no-such-model", "settings": {}}
    worker.send(Job(1, "segment", job.folder, arguments))
    failed = worker.hear_until("error")
    assert failed.kind == "ModelError"
    assert "no-such-model" in failed.problem
    assert failed.advice


def test_an_error_nobody_foresaw_is_a_sentence_with_its_trace_in_the_log(start):
    worker = start()
    worker.send(Job(1, "check", str(worker.folder), {}))
    failed = worker.hear_until("error")
    assert failed.kind == "WorkerError"
    assert "KeyError" in failed.problem
    worker.process.stdin.close()
    assert "Traceback" in worker.process.stderr.read()


def test_a_cancel_is_seen_while_computing_and_the_next_job_runs(start):
    worker = start()
    worker.send(worker.check(1, rounds=ENDLESS))
    worker.hear_until("progress")
    worker.send(Cancel(1))
    assert worker.hear_until("cancelled", "result").type == "cancelled"
    worker.send(worker.check(2))
    assert worker.hear_until("result").job == 2


def test_a_job_cancelled_before_its_turn_does_not_run(start):
    worker = start()
    worker.send(worker.check(1, rounds=ENDLESS))
    worker.send(worker.check(2, rounds=ENDLESS))
    worker.hear_until("progress")
    worker.send(Cancel(2))
    worker.send(Cancel(1))
    assert worker.hear_until("cancelled").job == 1
    assert worker.hear_until("cancelled", "progress").type == "cancelled"


def test_the_end_of_input_ends_an_idle_worker_and_removes_its_folder(start):
    worker = start()
    worker.hear()
    worker.process.stdin.close()
    assert worker.process.wait(10) == 0
    assert not worker.folder.exists()


def test_the_end_of_input_ends_a_busy_worker_too(start):
    worker = start()
    worker.send(worker.check(rounds=ENDLESS))
    worker.hear_until("progress")
    worker.process.stdin.close()
    assert worker.process.wait(10) == 0
    assert not worker.folder.exists()


def test_a_job_that_does_not_listen_cannot_outlive_the_parent(start):
    """Summing terabytes of one repeated voxel takes long and asks nobody in between."""
    worker = start()
    job = worker.check()
    np.save(worker.folder / "long.npy", np.zeros(1))
    header = {"descr": "<f8", "fortran_order": False, "shape": (40_000, 1000, 1000)}
    with (worker.folder / "long.npy").open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        stream.truncate(stream.tell() + 8 * 40_000 * 1000 * 1000)
    volume = {**job.arguments["volume"], "array": str(worker.folder / "long.npy")}
    volume["grid"] = {**volume["grid"], "shape": list(header["shape"])}
    worker.send(Job(1, "check", job.folder, {"volume": volume, "rounds": 1}))
    worker.hear_until("accepted")
    # Between taking up the job and the first voxel it still listens, and would end at once.
    time.sleep(0.5)
    worker.process.stdin.close()
    started = time.monotonic()
    assert worker.process.wait(30) == 1
    assert time.monotonic() - started > 1.5
    assert not worker.folder.exists()


def test_an_idle_worker_leaves_by_itself(start):
    worker = start(idle_seconds=0.3)
    assert worker.hear().type == "ready"
    assert worker.process.wait(10) == 0
    assert "Idle" in worker.process.stderr.read()


def test_an_idle_worker_takes_the_scans_kept_for_it_along(start):
    worker = start(idle_seconds=0.3)
    (worker.folder / KEPT_FOLDER).mkdir()
    (worker.folder / KEPT_FOLDER / "scan.npy").touch()
    assert worker.process.wait(10) == 0
    assert worker.folder.is_dir()
    assert not (worker.folder / KEPT_FOLDER).exists()


def test_ctrl_c_in_the_terminal_does_not_kill_it(start):
    worker = start()
    worker.hear()
    worker.process.send_signal(signal.SIGINT)
    worker.send(worker.check())
    assert worker.hear_until("result").job == 1


def test_a_parent_that_stops_listening_does_not_break_it(start):
    worker = start()
    worker.hear()
    worker.process.stdout.close()
    worker.send(worker.check())
    worker.process.stdin.close()
    assert worker.process.wait(10) == 0


def test_a_parent_killed_with_no_time_to_tidy_leaves_no_worker_behind(tmp_path, repository_root):
    program = """
import sys, time, numpy as np
from MedSegAI.Logic.errors import RegionError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.volume import Volume
from MedSegAI.Logic.worker.runner import SubprocessRunner
runner = SubprocessRunner()
job = runner.start_check(Volume(np.zeros((2, 2, 2)), Grid((2, 2, 2))), rounds=10**9, reporter=SilentReporter())
while not job._accepted:
    job.poll(timeout=0.1)
print(runner.worker_pid, runner._folder, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=repository_root,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    pid = int(parent.stdout.readline().split()[0])
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


NOISE = """
import os, threading, time
def shout():
    while True:
        if os.fstat(1)[:2] == os.fstat(2)[:2]:
            print("noise from python", flush=True)
            os.write(1, b"noise from C")
        time.sleep(0.002)
threading.Thread(target=shout, daemon=True).start()
"""


def test_a_library_that_prints_all_the_time_does_not_disturb_the_lines(start, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(NOISE)
    worker = start(environment={"PYTHONPATH": str(tmp_path)})
    assert worker.hear().type == "ready"
    worker.send(worker.check(rounds=20_000))
    while worker.hear().type != "result":
        pass
    worker.process.stdin.close()
    assert "noise from C" in worker.process.stderr.read()


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        (MemoryError(), "DeviceError", "memory does not suffice"),
        (RegionError("The region is empty.", advice="Make it larger."), "RegionError", "region is empty"),
        (ZeroDivisionError("division by zero"), "WorkerError", "ZeroDivisionError: division by zero"),
    ],
)
def test_whatever_ends_a_job_early_becomes_an_answer(monkeypatch, tmp_path, trouble, kind, words):
    def run_job(job, *, models, reporter, show):
        reporter.message("begun")
        raise trouble

    monkeypatch.setattr(worker_module, "run_job", run_job)
    out = io.StringIO()
    worker = worker_module.Worker(io.StringIO(encode(Job(1, "check", "", {}))), out, folder=tmp_path, idle_seconds=0.2)
    monkeypatch.setattr(worker, "_listen", lambda: [worker._hear(line) for line in worker._lines_in])
    worker.run()
    said = [decode(line) for line in out.getvalue().splitlines()]
    assert [message.type for message in said] == ["ready", "accepted", "message", "error"]
    assert said[-1].kind == kind
    assert words in said[-1].problem
    assert said[-1].advice
