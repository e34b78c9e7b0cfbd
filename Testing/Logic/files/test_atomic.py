"""Nothing half-written is left behind, whatever happens while a file is written."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from MedSegAI.Logic.errors import Cancelled, StorageError
from MedSegAI.Logic.files.atomic import make_folder, storage_error, write_beside

ROOT = Path(__file__).resolve().parents[3]


def test_the_file_appears_under_its_name_only_when_finished(tmp_path):
    target = tmp_path / "out.seg.nrrd"
    with write_beside(target) as path:
        assert path.name == target.name
        path.write_bytes(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("failure", [ValueError("broken"), KeyboardInterrupt(), Cancelled()])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    target = tmp_path / "out.nii.gz"
    target.write_bytes(b"old")
    with pytest.raises(type(failure)), write_beside(target) as path:
        path.write_bytes(b"half")
        raise failure
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_real_ctrl_c_in_the_middle_of_writing_leaves_nothing(tmp_path):
    script = (
        "import signal, sys, time\n"
        # A shell that starts the tests in the background passes on that Ctrl-C is ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from MedSegAI.Logic.files.atomic import write_beside\n"
        "with write_beside(sys.argv[1]) as path:\n"
        "    path.write_bytes(b'half')\n"
        "    print('writing', flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "out.nrrd")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout.readline() == b"writing\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) != 0
    process.stdout.close()
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_cleaning_up_leaves_the_finished_file_alone(tmp_path, monkeypatch):
    remove = shutil.rmtree
    calls = []

    def interrupted_once(folder, **options):
        calls.append(folder)
        if len(calls) == 1:
            raise KeyboardInterrupt
        remove(folder, **options)

    monkeypatch.setattr(shutil, "rmtree", interrupted_once)
    with pytest.raises(KeyboardInterrupt), write_beside(tmp_path / "out.nrrd") as path:
        path.write_bytes(b"whole")
    assert [left.name for left in tmp_path.iterdir()] == ["out.nrrd"]


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(StorageError, match="disk is full") as caught, write_beside(tmp_path / "out.nrrd") as path:
            path.write_bytes(b"x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.advice == "Free some space or choose another folder."
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path):
    with (
        pytest.raises(StorageError, match=r"there is no folder .*nowhere") as caught,
        write_beside(tmp_path / "nowhere" / "out.nrrd"),
    ):
        pass
    assert "Make the folder" in caught.value.advice


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(StorageError, match="is a folder"), write_beside(tmp_path):
        pass


def test_a_device_is_never_replaced():
    with pytest.raises(StorageError, match="not an ordinary file"), write_beside("/dev/null"):
        pass
    assert not Path("/dev/null").is_file()


def test_writing_nothing_is_an_error_and_not_an_empty_file(tmp_path):
    with pytest.raises(StorageError, match="Nothing was written"), write_beside(tmp_path / "out.nrrd"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_link_keeps_pointing_at_the_replaced_file(tmp_path):
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "out.nrrd", tmp_path / "link.nrrd"
    real.write_bytes(b"old")
    link.symlink_to(real)
    with write_beside(link) as path:
        path.write_bytes(b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_is_one_sentence(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="no permission"), write_beside(tmp_path / "out.nrrd"):
            pass
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "no permission"),
        (errno.ENAMETOOLONG, "the name is too long"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_each_operating_system_error_has_its_sentence(number, sentence):
    error = storage_error("/data/out.nrrd", OSError(number, os.strerror(number)))
    assert error.problem == f"'/data/out.nrrd' could not be written: {sentence}."
    assert error.advice


@pytest.mark.parametrize(
    "numpy_says", ["Not enough free space to write 18288640 bytes after offset 128", "4096 requested and 12 written"]
)
def test_numpys_own_words_for_a_full_disk_are_understood(numpy_says):
    assert "the disk is full" in storage_error("/data/scan.npy", OSError(numpy_says)).problem


def test_a_name_that_is_too_long_is_one_sentence(tmp_path):
    with pytest.raises(StorageError, match="too long"), write_beside(tmp_path / ("x" * 300 + ".nrrd")) as path:
        path.write_bytes(b"x")


def test_make_folder_makes_parents_and_refuses_a_file(tmp_path):
    assert make_folder(tmp_path / "a" / "b").is_dir()
    assert make_folder(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="is a file"):
        make_folder(tmp_path / "file")
    with pytest.raises(StorageError, match="could not be written"):
        make_folder(tmp_path / "file" / "below")


def test_a_full_disk_is_told_also_where_a_library_wraps_the_error(tmp_path):
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as inner:
            raise OSError("With tag (7FE0,0010) got exception\nTraceback") from inner
    except OSError as wrapped:
        told = storage_error(tmp_path / "a.dcm", wrapped)
    assert told.problem == f"'{tmp_path / 'a.dcm'}' could not be written: the disk is full."
