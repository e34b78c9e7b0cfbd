"""A private folder goes with its work, and what a killed process left goes with the next one."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from MedSegAI.Logic.files.private_folder import private_folder

LEAVE_ONE = """
import os, signal
from MedSegAI.Logic.files.private_folder import private_folder
with private_folder() as folder:
    (folder / "scan.dcm").write_bytes(b"a patient")
    print(folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch) -> Path:
    """Where temporary folders are made, in this process and in those it starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def age(folder: Path) -> None:
    """Let the folder's lock be an hour old."""
    os.utime(folder.parent / "in-use", (time.time() - 3600,) * 2)


def left_by_a_killed_process() -> Path:
    done = subprocess.run([sys.executable, "-c", LEAVE_ONE], stdout=subprocess.PIPE, text=True)
    assert done.returncode == -signal.SIGKILL
    return Path(done.stdout.strip())


def test_it_is_empty_private_and_gone_afterwards(temporary):
    with private_folder() as folder:
        assert list(folder.iterdir()) == []
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
        (folder / "deep").mkdir()
        (folder / "deep" / "scan.dcm").write_bytes(b"a patient")
    assert list(temporary.iterdir()) == []


def test_it_goes_when_the_work_fails(temporary):
    with pytest.raises(ZeroDivisionError), private_folder():
        raise ZeroDivisionError
    assert list(temporary.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next_one():
    left = left_by_a_killed_process()
    assert (left / "scan.dcm").is_file()
    age(left)
    with private_folder() as folder:
        assert not left.parent.exists()
        assert folder.is_dir()


def test_what_is_being_worked_in_stays_however_old_it_is():
    with private_folder() as first:
        age(first)
        with private_folder():
            assert first.is_dir()


def test_a_folder_made_a_moment_ago_stays_as_it_may_not_be_locked_yet():
    left = left_by_a_killed_process()
    with private_folder():
        assert left.is_dir()


def test_a_folder_that_is_none_of_ours_stays(temporary):
    (temporary / "medsegai-private-without-a-lock").mkdir()
    with private_folder():
        assert (temporary / "medsegai-private-without-a-lock").is_dir()
