"""A face's view of the worker: warm, cancellable, and a sentence whenever the process misbehaves."""

from __future__ import annotations

import gc
import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, field

import numpy as np
import psutil
import pytest

from MedSegAI.Logic.errors import Cancelled, InputError, MedSegAIError, StorageError, WorkerError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Modality, Unit, Volume
from MedSegAI.Logic.worker.protocol import PROTOCOL_VERSION, Failed, Message, Ready, Result, encode
from MedSegAI.Logic.worker.runner import SubprocessRunner

SCAN = Volume(np.arange(24, dtype=np.int16).reshape(2, 3, 4), Grid((2, 3, 4)), Modality.CT, Unit.HOUNSFIELD, "a scan")
ENDLESS = 10**9
READY = Ready(PROTOCOL_VERSION, 1, {})


@dataclass
class Watcher(SilentReporter):
    """Keeps what it is told; does ``at_progress`` when told of progress."""

    steps: list[tuple[int, int, str]] = field(default_factory=list)
    stop: bool = False
    at_progress: object = None

    def progress(self, done, total, stage):
        self.steps.append((done, total, stage))
        if self.at_progress is not None:
            self.at_progress()

    def cancelled(self):
        return self.stop


@pytest.fixture
def runner(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with SubprocessRunner() as runner:
        yield runner
    assert [path for path in tmp_path.iterdir() if path.name.startswith("medsegai-")] == []


@pytest.fixture
def a_worker_that(tmp_path):
    """The path of an "interpreter" that runs the given Python code in place of the worker."""

    def write(code):
        script = tmp_path / f"worker-{len(list(tmp_path.iterdir()))}.py"
        script.write_text(f"#!{sys.executable}\nimport sys, time\n{code}\n")
        script.chmod(0o755)
        return str(script)

    return write


def says(*messages):
    return "".join(f"sys.stdout.write({encode(message)!r}); sys.stdout.flush()\n" for message in messages)


def check(runner, *, rounds=1, reporter=None):
    return runner.start_check(SCAN, rounds=rounds, reporter=reporter or Watcher())


def until_progress(job, reporter):
    while not reporter.steps:
        assert not job.poll(timeout=0.1)


def test_a_volume_goes_through_the_worker_and_back_unchanged(runner):
    reporter = Watcher()
    volume, total = check(runner, rounds=3, reporter=reporter).wait()
    np.testing.assert_array_equal(volume.array, SCAN.array)
    assert (volume.grid, volume.modality, volume.unit, volume.name) == (SCAN.grid, SCAN.modality, SCAN.unit, SCAN.name)
    assert total == SCAN.array.sum()
    assert reporter.steps[-1] == (3, 3, "checking")


def test_the_worker_starts_with_the_first_job_and_stays_warm_for_the_next(runner):
    assert runner.worker_pid is None
    check(runner).wait()
    first = runner.worker_pid
    check(runner).wait()
    assert runner.worker_pid == first


def test_arrays_lie_in_a_private_folder_and_are_gone_after_the_job(runner, tmp_path):
    job = check(runner)
    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    while not (folder / "job-1" / "scan.npy").exists():
        assert not job.poll(timeout=0.01)
    job.wait()
    assert [path.name for path in folder.iterdir()] == ["worker.log"]


def test_polling_never_blocks(runner):
    reporter = Watcher()
    job = check(runner, rounds=ENDLESS, reporter=reporter)
    slowest = 0.0
    while not reporter.steps:
        before = time.perf_counter()
        assert not job.poll()
        slowest = max(slowest, time.perf_counter() - before)
        time.sleep(0.01)
    assert slowest < 0.5
    reporter.stop = True
    while not job.poll(timeout=0.1):
        pass
    with pytest.raises(Cancelled):
        job.result()
    assert job.poll()


def test_a_second_job_has_to_wait_for_the_first(runner):
    job = check(runner, rounds=ENDLESS)
    with pytest.raises(WorkerError, match="busy"):
        check(runner)
    job.cancel()
    with pytest.raises(Cancelled):
        job.wait()
    check(runner).wait()


def test_a_worker_that_listens_survives_a_cancel(runner):
    reporter = Watcher()
    job = check(runner, rounds=ENDLESS, reporter=reporter)
    until_progress(job, reporter)
    pid = runner.worker_pid
    reporter.stop = True
    with pytest.raises(Cancelled):
        job.wait()
    check(runner).wait()
    assert runner.worker_pid == pid


@pytest.mark.skipif(os.name != "posix", reason="stops a process with a POSIX signal")
def test_a_worker_that_does_not_listen_is_ended_after_the_grace_time(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with SubprocessRunner(cancel_seconds=0.3) as runner:
        reporter = Watcher()
        job = check(runner, rounds=ENDLESS, reporter=reporter)
        until_progress(job, reporter)
        pid = runner.worker_pid
        os.kill(pid, signal.SIGSTOP)
        started = time.monotonic()
        job.cancel()
        with pytest.raises(Cancelled):
            job.wait()
        assert 0.3 <= time.monotonic() - started < 5
        assert not psutil.pid_exists(pid)
        check(runner).wait()
        assert runner.worker_pid != pid


def test_a_job_cancelled_before_the_worker_is_ready_never_starts(runner):
    job = check(runner, rounds=ENDLESS)
    job.cancel()
    job.cancel()
    with pytest.raises(Cancelled):
        job.wait()
    check(runner).wait()


@pytest.mark.skipif(os.name != "posix", reason="kills a process with a POSIX signal")
def test_a_worker_killed_mid_run_is_a_sentence_and_the_next_job_gets_a_new_one(runner):
    reporter = Watcher()
    job = check(runner, rounds=ENDLESS, reporter=reporter)
    until_progress(job, reporter)
    pid = runner.worker_pid
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match=r"killed \(signal 9\)") as raised:
        job.wait()
    assert "memory" in raised.value.advice
    assert check(runner).wait()[1] == SCAN.array.sum()
    assert runner.worker_pid != pid


@pytest.mark.skipif(os.name != "posix", reason="kills a process with a POSIX signal")
def test_a_worker_that_dies_after_a_cancel_is_no_error(runner):
    reporter = Watcher()
    job = check(runner, rounds=ENDLESS, reporter=reporter)
    until_progress(job, reporter)
    os.kill(runner.worker_pid, signal.SIGSTOP)
    job.cancel()
    os.kill(runner.worker_pid, signal.SIGKILL)
    with pytest.raises(Cancelled):
        job.wait()


def test_ctrl_c_while_waiting_ends_the_job_and_is_passed_on(runner):
    def interrupt():
        raise KeyboardInterrupt

    job = check(runner, rounds=ENDLESS, reporter=Watcher(at_progress=interrupt))
    with pytest.raises(KeyboardInterrupt):
        job.wait()
    assert job.ended
    check(runner).wait()


def test_an_error_of_the_work_arrives_as_what_it_was(runner):
    from MedSegAI.Logic.errors import ModelError
    from MedSegAI.Logic.models.card import ModelCard
    from MedSegAI.Logic.models.registry import Model

    gone = Model(runner._folder / "gone", ModelCard)
    with pytest.raises(ModelError, match="gone") as raised:
        runner.segment(SCAN, model=gone, settings=RunSettings(), reporter=Watcher())
    assert raised.value.advice


def test_a_worker_that_left_after_its_idle_time_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with SubprocessRunner(idle_seconds=0.1) as runner:
        check(runner).wait()
        first = runner._processes[0].pid
        while runner.worker_pid is not None:
            time.sleep(0.05)
        check(runner).wait()
        assert runner._processes[0].pid != first


def test_a_worker_that_leaves_just_as_the_job_arrives_is_replaced(a_worker_that, tmp_path):
    marker = tmp_path / "been here"
    code = f"""
import os
if os.path.exists({str(marker)!r}):
    os.execv({sys.executable!r}, [{sys.executable!r}, *sys.argv[1:]])
open({str(marker)!r}, "w").close()
{says(READY)}
sys.stdin.readline()
"""
    with SubprocessRunner(python=a_worker_that(code)) as runner:
        assert check(runner).wait()[1] == SCAN.array.sum()


def test_a_worker_that_left_and_cannot_be_started_again_is_a_sentence(a_worker_that):
    worker = a_worker_that(f"import os\nos.remove(__file__)\n{says(READY)}sys.stdin.readline()")
    with SubprocessRunner(python=worker) as runner, pytest.raises(WorkerError, match="could not be started"):
        check(runner).wait()


def test_a_cancel_that_comes_when_the_result_is_there_changes_nothing(runner):
    job = check(runner)
    while job._leaving is None:
        job._step(0.05)
    job.cancel()
    assert job.wait()[1] == SCAN.array.sum()


def test_an_interpreter_that_does_not_exist_is_a_sentence(tmp_path):
    with SubprocessRunner(python=str(tmp_path / "nowhere")) as runner, pytest.raises(WorkerError, match="nowhere"):
        check(runner)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("sys.exit('No module named MedSegAI.')", r"exit code 1\) before it had finished: No module named MedSegAI\."),
        ("sys.exit(3)", r"exit code 3\) before it had finished\."),
        ("time.sleep(60)", "not ready within 0.5 s"),
        ("print('Welcome!', flush=True); time.sleep(60)", "'Welcome!' is not part of the worker's protocol"),
        (says(Ready(99, 1, {})) + "time.sleep(60)", "version 99"),
        (says(READY, Failed(None, "WorkerError", "Not understood.")) + "time.sleep(60)", "Not understood"),
    ],
)
def test_a_worker_that_misbehaves_is_a_sentence_and_is_gone(a_worker_that, code, sentence):
    with SubprocessRunner(python=a_worker_that(code), startup_seconds=0.5 if "within" in sentence else 60) as runner:
        job = check(runner)
        pid = runner._processes[0].pid
        with pytest.raises(WorkerError, match=sentence) as raised:
            job.wait()
        assert raised.value.advice or "Not understood" in sentence
        assert not psutil.pid_exists(pid)


def test_a_result_that_cannot_be_read_is_a_sentence(a_worker_that):
    code = says(READY) + "sys.stdin.readline()\n" + says(Message(1, "nearly"), Result(1, {"sum": 1}))
    reporter = Watcher()
    with (
        SubprocessRunner(python=a_worker_that(code + "time.sleep(60)")) as runner,
        pytest.raises(WorkerError, match="result cannot be read"),
    ):
        check(runner, reporter=reporter).wait()
    assert reporter.messages == ["nearly"]


def test_lines_about_another_job_are_ignored(a_worker_that):
    code = says(READY, Message(77, "old news"), Failed(77, "InputError", "old trouble"))
    code += "sys.stdin.readline()\n" + says(Failed(1, "InputError", "new trouble"))
    reporter = Watcher()
    with SubprocessRunner(python=a_worker_that(code)) as runner, pytest.raises(InputError, match="new trouble"):
        check(runner, reporter=reporter).wait()
    assert reporter.messages == []


def test_a_chatty_worker_cannot_talk_a_cancel_away(a_worker_that):
    chatter = f"while True:\n    {says(Message(1, 'still here')).strip()}"
    worker = a_worker_that(says(READY) + "sys.stdin.readline()\n" + chatter)
    with SubprocessRunner(python=worker, cancel_seconds=0.2) as runner:
        reporter = Watcher()
        job = check(runner, reporter=reporter)
        while not reporter.messages:
            job.poll(timeout=0.1)
        reporter.stop = True
        with pytest.raises(Cancelled):
            job.wait()


def test_the_children_of_a_worker_are_ended_with_it(a_worker_that, tmp_path):
    note = tmp_path / "child"
    code = f"""
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
with open({str(note)!r}, "w") as stream:
    stream.write(str(child.pid))
{says(Ready(99, 1, {}))}
time.sleep(60)
"""
    with SubprocessRunner(python=a_worker_that(code)) as runner, pytest.raises(WorkerError):
        check(runner).wait()
    child = int(note.read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_closing_ends_the_worker_and_a_later_job_starts_a_new_one(runner, tmp_path):
    job = check(runner, rounds=ENDLESS)
    job.poll(timeout=0.5)
    pid = runner.worker_pid
    runner.close()
    assert not psutil.pid_exists(pid)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Cancelled):
        job.wait()
    check(runner).wait()


def test_a_runner_that_is_dropped_takes_its_worker_along(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    runner = SubprocessRunner()
    check(runner).wait()
    pid = runner.worker_pid
    del runner
    gc.collect()
    assert not psutil.pid_exists(pid)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_for_temporary_files_that_is_gone_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with SubprocessRunner() as runner, pytest.raises(StorageError, match="gone"):
        check(runner)


@pytest.fixture
def nearly_full_disk():
    """Files of this process, and of the workers it starts, cannot grow beyond 100 000 bytes."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_scan_for_which_the_disk_has_no_room_ends_the_job_with_a_sentence(runner, nearly_full_disk, tmp_path):
    large = Volume(np.zeros((1, 1000, 1000), dtype=np.int16), Grid((1, 1000, 1000)))
    job = runner.start_check(large, rounds=1, reporter=Watcher())
    with pytest.raises(StorageError, match="disk is full"):
        job.wait()
    (folder,) = tmp_path.iterdir()
    assert [path.name for path in folder.iterdir()] == ["worker.log"]
    assert check(runner).wait()[1] == SCAN.array.sum()


def test_an_array_that_no_file_can_hold_is_a_sentence_too(runner):
    objects = Volume(np.full((1, 1, 1), {}, dtype=object), Grid((1, 1, 1)))
    with pytest.raises(MedSegAIError, match="could not be written"):
        runner.start_check(objects, rounds=1, reporter=Watcher()).wait()


def test_a_mistake_met_while_preparing_ends_the_job_as_well(runner):
    job = runner.start_segment(SCAN, model=None, settings=RunSettings(), reporter=Watcher())
    with pytest.raises(WorkerError, match="cannot be handed to the worker: AttributeError"):
        job.wait()
    assert check(runner).wait()[1] == SCAN.array.sum()


def test_the_parent_needs_no_torch(repository_root):
    code = (
        "import sys, MedSegAI.Logic.worker.runner; sys.exit(any(m in sys.modules for m in ('torch', 'monai', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=repository_root).returncode == 0
