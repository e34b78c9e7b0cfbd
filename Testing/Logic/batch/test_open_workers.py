"""Real processes of a real scheduler: they share the work, die, and are replaced; no case is done twice or lost."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
import urllib.request
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from MedSegAI.Logic.batch.case_record import CaseStatus
from MedSegAI.Logic.batch.open_workers import processes_here, workers_of
from MedSegAI.Logic.errors import Cancelled, DependencyError, InputError, WorkerError
from MedSegAI.Logic.reporter import SilentReporter
from Testing.Logic.batch.conftest import MODEL, batch, ledger_lines
from Testing.Logic.batch.test_run import StopsAfter

distributed = pytest.importorskip("distributed")


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@pytest.fixture(scope="module")
def two_processes():
    """The same two workers for every batch of this file."""
    before = environment()
    with processes_here(2) as workers:

        @contextmanager
        def again():
            yield workers

        yield again
    assert environment() == before, "what workers are told of threads and the like must not stay in this process"


def worker_processes() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if _is_worker(child)]


def _is_worker(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "spawn_main" in " ".join(process.cmdline())
    return False


@pytest.fixture
def four_scans(scans, small_scans):
    for scan in small_scans[2:]:
        shutil.copy(scan, scans)
    return scans


def test_two_processes_give_what_one_gives(two_processes, scans, out, tmp_path):
    (scans / "bad.nii.gz").write_bytes(b"no image")
    several = batch(scans, out, workers=two_processes)
    alone = batch(scans, tmp_path / "alone")
    assert several.done_now == alone.done_now == 2
    for case, record in several.table.records.items():
        other = alone.table.records[case]
        assert (record.status, record.volumes, record.sentence) == (other.status, other.volumes, other.sentence)


def test_they_are_reached_over_the_loopback_address_only_and_tell_nothing_to_a_browser(two_processes):
    own = [psutil.Process(), *worker_processes()]
    listening = [c.laddr for one in own for c in one.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert len(listening) >= 3
    assert {address.ip for address in listening} == {"127.0.0.1"}
    for address in listening:
        with pytest.raises(OSError), urllib.request.urlopen(f"http://127.0.0.1:{address.port}/health", timeout=5):
            pass


def test_a_stopped_batch_stops_its_workers_within_a_case(two_processes, four_scans, out):
    with pytest.raises(Cancelled):
        batch(four_scans, out, workers=two_processes, reporter=StopsAfter(cases=1))
    done = len(ledger_lines(out))
    assert 1 <= done <= 3
    assert batch(four_scans, out, workers=two_processes).done_now == 4 - done
    assert len(set(ledger_lines(out))) == 4


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_case_that_kills_its_worker_is_tried_once_more_and_no_other_is_lost_or_done_twice(two_processes, scans, out):
    """Killed from outside here; most often it is the memory. A pipe that nobody writes to is a case without an end."""
    pipe, killed = scans / "never-ends.nii.gz", set()
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR)

    def kill_its_workers():
        while len(killed) < 2:
            time.sleep(0.05)
            for process in worker_processes():
                if process.pid not in killed and _reads(process, pipe):
                    process.send_signal(signal.SIGKILL)
                    killed.add(process.pid)

    killer = threading.Thread(target=kill_its_workers, daemon=True)
    killer.start()
    done = batch(scans, out, workers=two_processes)
    killer.join()
    os.close(held)
    assert not any(map(psutil.pid_exists, killed))
    (failed,) = done.table.with_status(CaseStatus.FAILED)
    assert failed.source == str(pipe)
    assert "was killed before it had finished" in failed.sentence
    assert len(ledger_lines(out)) == len(set(ledger_lines(out))) == 2


def _reads(process: psutil.Process, path: Path) -> bool:
    with suppress(OSError):
        return any(entry.readlink() == path for entry in Path(f"/proc/{process.pid}/fd").iterdir())
    return False


def started_scheduler(workers: int):
    """A scheduler that runs already, with its workers in this process."""
    settings = {"processes": False, "protocol": "tcp", "host": "127.0.0.1", "dashboard_address": None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return distributed.LocalCluster(n_workers=workers, threads_per_worker=2, **settings)


@pytest.fixture(scope="module")
def scheduler():
    """Its address."""
    with started_scheduler(1) as cluster:
        yield cluster.scheduler_address


def test_a_scheduler_that_runs_already_does_the_cases(scheduler, scans, out):
    done = batch(scans, out, workers=lambda: workers_of(scheduler, needed=(out, MODEL)))
    assert done.done_now == 2


def test_a_worker_that_does_not_see_a_path_is_told_before_any_case(scheduler, scans, out, tmp_path):
    with pytest.raises(WorkerError) as error:
        batch(scans, out, workers=lambda: workers_of(scheduler, needed=(tmp_path / "elsewhere",)))
    assert f"does not see '{tmp_path / 'elsewhere'}'" in error.value.problem
    assert ledger_lines(out) == []


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr("MedSegAI.Logic.batch.open_workers.SECONDS_TO_CONNECT", 0.5)
    with (
        pytest.raises(WorkerError, match="does not answer"),
        workers_of("tcp://127.0.0.1:9", needed=()),
    ):
        pass


def test_a_scheduler_without_workers_is_told(monkeypatch):
    monkeypatch.setattr("MedSegAI.Logic.batch.open_workers.SECONDS_TO_CONNECT", 0.5)
    with (
        started_scheduler(0) as cluster,
        pytest.raises(WorkerError, match="has no worker"),
        workers_of(cluster.scheduler_address, needed=()),
    ):
        pass


def test_a_scheduler_that_is_lost_ends_the_batch_and_what_is_done_stays(monkeypatch, scans, out):
    monkeypatch.setattr("MedSegAI.Logic.batch.open_workers.SECONDS_TO_CONNECT", 0.5)
    cluster = started_scheduler(1)

    class LosesIt(SilentReporter):
        def progress(self, done: int, total: int, stage: str) -> None:
            if stage == "cases":
                cluster.close(timeout=1)

    with pytest.raises(WorkerError) as error:
        batch(scans, out, workers=lambda: workers_of(cluster.scheduler_address, needed=()), reporter=LosesIt())
    assert "cannot be reached any more" in error.value.problem
    assert len(ledger_lines(out)) == 1
    assert "not done" in (out / "table.csv").read_text(encoding="utf-8-sig")


def test_without_dask_the_line_to_type_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DependencyError) as error, processes_here(2):
        pass
    assert "pip install cryptography 'dask[distributed]'" in error.value.advice


def test_fewer_than_one_process_is_refused():
    with pytest.raises(InputError, match="-1 workers cannot work"), processes_here(-1):
        pass
