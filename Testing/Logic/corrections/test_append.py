"""A crash at any instant, several writers at once and a full disk lose nothing: all of it with real processes."""

from __future__ import annotations

import errno
import os
import resource
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from MedSegAI.Logic.corrections import record
from MedSegAI.Logic.corrections.append import append_steps
from MedSegAI.Logic.corrections.check import problems_of
from MedSegAI.Logic.corrections.entry import Kind, Status
from MedSegAI.Logic.corrections.journal import read_journal
from MedSegAI.Logic.corrections.lock import exclusive
from MedSegAI.Logic.corrections.record import Rater, record_base, record_correction
from MedSegAI.Logic.corrections.replay import replay
from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.reporter import SilentReporter
from Testing.Logic.corrections.conftest import ANNA, BENE, painted, same

SPOT = np.s_[0:2, 0:2, 0:3]
OTHER_SPOT = np.s_[4:6, 6:8, 8:10]
FINISHED = 0


def in_another_process(work) -> int:
    """Run ``work`` in a process of its own; its process id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException:
        os._exit(1)
    os._exit(FINISHED)


def end_of(child: int) -> int:
    """The exit code of a process, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_after(steps: int, work) -> int:
    """Run ``work`` in a process that is killed once the journal's writer has done ``steps`` steps."""

    def append_and_die(folder, decide):
        for done, _ in enumerate(append_steps(Path(folder), decide), start=1):
            if done == steps:
                os.kill(os.getpid(), signal.SIGKILL)
        return ()

    def doomed():
        record.append = append_and_die
        work()

    return end_of(in_another_process(doomed))


def refuse_problems(case) -> None:
    assert problems_of(case, reporter=SilentReporter()) == ()


def entries_before_and_after_every_kill(prepare, work, after_kill):
    """Kill ``work`` after its first step, its second, ... until it ends by itself; the number of steps it has."""
    for steps in range(1, 200):
        prepare(steps)
        end = killed_after(steps, work)
        assert end in (FINISHED, -signal.SIGKILL)
        after_kill(steps)
        if end == FINISHED:
            return steps - 1
    raise AssertionError("the writer never ended")


def test_a_first_correction_killed_between_any_two_steps_leaves_a_journal_that_goes_on(tmp_path, base):
    after = painted(base, SPOT, 1)
    current = {}

    def prepare(steps):
        current["case"] = tmp_path / str(steps)

    def work():
        record_correction(current["case"], base, after, rater=ANNA)

    def after_kill(steps):
        case = current["case"]
        if (case / "journal.jsonl").exists():
            # Every entry that is there is whole: with its labels and its names.
            refuse_problems(case)
            assert [e.kind for e in read_journal(case).entries] == [Kind.BASE, Kind.CORRECTION][
                : len(read_journal(case).entries)
            ]
        record_correction(case, base, painted(base, OTHER_SPOT, 2), rater=BENE)
        journal = read_journal(case)
        refuse_problems(case)
        assert same(replay(journal, rater="Bene"), painted(base, OTHER_SPOT, 2))
        assert len([e for e in journal.entries if e.kind is Kind.BASE]) == 1
        assert list(case.rglob(".unfinished-*")) == []

    # Folders, README, two entries with table and labels each: anything less means that the steps are no longer seen.
    assert entries_before_and_after_every_kill(prepare, work, after_kill) >= 25


def test_a_later_correction_killed_between_any_two_steps_keeps_all_that_was_there(tmp_path, base):
    one, two = painted(base, SPOT, 1), painted(painted(base, SPOT, 1), OTHER_SPOT, 2)
    current = {}

    def prepare(steps):
        current["case"] = tmp_path / str(steps)
        record_correction(current["case"], base, one, rater=ANNA)
        current["before"] = (current["case"] / "journal.jsonl").read_bytes()

    def work():
        record_correction(current["case"], one, two, rater=ANNA)

    def after_kill(steps):
        case = current["case"]
        assert (case / "journal.jsonl").read_bytes().startswith(current["before"])
        journal = read_journal(case)
        assert same(replay(journal, rater="Anna"), two if len(journal.entries) == 3 else one)
        refuse_problems(case)
        record_correction(case, one, two, rater=ANNA, status=Status.FINAL)
        assert same(replay(read_journal(case), rater="Anna"), two)
        refuse_problems(case)

    assert entries_before_and_after_every_kill(prepare, work, after_kill) >= 8


def test_a_line_cut_off_at_any_byte_is_moved_aside_and_the_journal_goes_on(case, base):
    one = painted(base, SPOT, 1)
    record_correction(case, base, one, rater=ANNA)
    path = case / "journal.jsonl"
    whole = path.read_bytes()
    second_starts = whole.index(b"\n") + 1
    for length in range(second_starts, len(whole) + 1):
        path.write_bytes(whole[:length])
        for aside in case.glob("*.torn-*"):
            aside.unlink()
        journal = read_journal(case)
        torn = whole[second_starts:length]
        if length >= len(whole) - 1:
            # Only the line break is missing, or nothing.
            assert (len(journal.entries), journal.torn, journal.note) == (2, b"", "")
        else:
            assert (len(journal.entries), journal.torn) == (1, torn)
            assert ("was cut off" in journal.note) == bool(torn)
        assert path.read_bytes() == whole[:length], "reading changes nothing"
        if length % 97 in (0, 1) or length >= len(whole) - 1:
            record_correction(case, base, painted(base, OTHER_SPOT, 2), rater=BENE)
            refuse_problems(case)
            assert path.read_bytes().startswith(whole if length >= len(whole) - 1 else whole[:second_starts])
            kept = [aside.read_bytes() for aside in case.glob("*.torn-*")]
            assert kept == ([torn] if torn and length < len(whole) - 1 else [])


def test_moving_a_torn_line_aside_may_itself_be_killed_at_any_step(tmp_path, base):
    one = painted(base, SPOT, 1)
    current = {}

    def prepare(steps):
        case = current["case"] = tmp_path / str(steps)
        record_correction(case, base, one, rater=ANNA)
        content = (case / "journal.jsonl").read_bytes()
        (case / "journal.jsonl").write_bytes(content + b'{"format":1,"number":3,"prev')

    def work():
        record_correction(current["case"], one, painted(one, OTHER_SPOT, 2), rater=ANNA)

    def after_kill(steps):
        case = current["case"]
        assert same(replay(read_journal(case), upto=2), one)
        record_correction(case, base, painted(base, OTHER_SPOT, 2), rater=BENE)
        refuse_problems(case)
        assert [aside.read_bytes() for aside in case.glob("*.torn-*")] == [b'{"format":1,"number":3,"prev']

    assert entries_before_and_after_every_kill(prepare, work, after_kill) >= 12


def test_several_torn_lines_are_all_kept(case, base):
    record_base(case, base)
    path = case / "journal.jsonl"
    for spot, torn in ((SPOT, b"{first"), (OTHER_SPOT, b"\0\0\0\0")):
        path.write_bytes(path.read_bytes() + torn)
        record_correction(case, base, painted(base, spot, 2), rater=ANNA)
    assert (case / "journal.jsonl.torn-1").read_bytes() == b"{first"
    assert (case / "journal.jsonl.torn-2").read_bytes() == b"\0\0\0\0"
    refuse_problems(case)


def test_two_processes_that_append_fifty_entries_each_at_once_lose_none(case, base):
    def fifty_by(rater: Rater, value: int):
        def work():
            state = base
            for step, voxel in enumerate(np.argwhere(base.labels.array == 0)[:50]):
                after = painted(state, tuple(voxel), value)
                record_correction(case, state, after, rater=rater, comment=str(step), status=Status.FINAL)
                state = after

        return work

    children = [in_another_process(fifty_by(ANNA, 1)), in_another_process(fifty_by(BENE, 2))]
    assert [end_of(child) for child in children] == [FINISHED, FINISHED]
    journal = read_journal(case)
    for rater in ("Anna", "Bene"):
        entries = [entry for entry in journal.entries if entry.rater == rater]
        assert [int(entry.comment) for entry in entries] == list(range(50))
    # Both began with the same base, and whoever came second found it there.
    assert [entry.number for entry in journal.entries if entry.kind is Kind.BASE] == [1]
    refuse_problems(case)


def test_writers_killed_at_random_moments_never_leave_a_broken_journal(case, base):
    record_base(case, base)
    chance = np.random.default_rng(4)

    def endless():
        state = base
        while True:
            after = painted(state, tuple(slice(int(n), int(n) + 1) for n in chance.integers(0, 6, 3)), 1)
            state = base if record_correction(case, state, after, rater=ANNA) is None else after

    for _ in range(12):
        child = in_another_process(endless)
        time.sleep(float(chance.uniform(0.01, 0.08)))
        os.kill(child, signal.SIGKILL)
        end_of(child)
        refuse_problems(case)
        record_correction(case, base, base, rater=BENE, status=Status.FINAL)
        record_correction(case, base, base, rater=BENE, status=Status.DRAFT)
        refuse_problems(case)
    assert len(read_journal(case).entries) > 24


@contextmanager
def room_for(size: int):
    """No file may grow beyond ``size`` bytes: the system then refuses in mid-write, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_for_the_line_leaves_the_journal_as_it_was(case, base):
    one = painted(base, SPOT, 1)
    record_correction(case, base, one, rater=ANNA)
    before = (case / "journal.jsonl").read_bytes()
    with room_for(len(before) + 100), pytest.raises(StorageError, match=r"journal\.jsonl.*the disk is full"):
        record_correction(case, base, painted(base, OTHER_SPOT, 2), rater=BENE)
    assert (case / "journal.jsonl").read_bytes() == before
    record_correction(case, base, painted(base, OTHER_SPOT, 2), rater=BENE)
    refuse_problems(case)


def test_a_disk_that_is_full_for_the_labels_leaves_the_journal_as_it_was(case, base):
    record_base(case, base)
    before = {path: path.read_bytes() for path in case.rglob("*") if path.is_file()}
    noisy = painted(base, np.s_[:, :, :], 1)
    with room_for(50), pytest.raises(StorageError, match="the disk is full"):
        record_correction(case, base, noisy, rater=ANNA)
    assert {path: path.read_bytes() for path in case.rglob("*") if path.is_file()} == before


def test_a_folder_that_cannot_be_written_is_refused_with_a_sentence(tmp_path, base):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match="could not be written"):
        record_base(tmp_path / "file" / "case", base)


def test_a_folder_that_is_locked_for_too_long_is_refused_with_a_sentence(case, base):
    record_base(case, base)
    late = exclusive(case, longest_wait_s=0.05)
    with exclusive(case), pytest.raises(StorageError, match="Another program has been writing"), late:
        pass


def test_a_file_system_without_locks_is_told_at_once(case, base, monkeypatch):
    def no_locks(_handle, _how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", no_locks)
    with pytest.raises(StorageError, match="cannot be locked: No locks available"):
        record_base(case, base)


def test_a_writer_waits_until_the_one_before_it_is_done(case, base):
    record_base(case, base)
    writer = threading.Thread(
        target=record_correction, args=(case, base, painted(base, SPOT, 1)), kwargs={"rater": ANNA}
    )
    with exclusive(case):
        writer.start()
        writer.join(0.2)
        assert writer.is_alive()
        assert len(read_journal(case).entries) == 1
    writer.join(10)
    assert len(read_journal(case).entries) == 2


def test_a_reader_who_meets_a_line_being_written_waits_for_it(case, base):
    record_correction(case, base, painted(base, SPOT, 1), rater=ANNA)
    path = case / "journal.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    read = []
    with exclusive(case):
        reader = threading.Thread(target=lambda: read.append(read_journal(case)))
        reader.start()
        reader.join(0.1)
        path.write_bytes(whole)
    reader.join(10)
    assert (len(read[0].entries), read[0].torn) == (2, b"")
