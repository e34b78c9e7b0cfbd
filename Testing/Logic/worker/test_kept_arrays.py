"""A scan that the worker was given before is not written again, and nothing is kept beyond its bounds."""

from __future__ import annotations

import os

import numpy as np
import pytest

from MedSegAI.Logic.errors import Cancelled, StorageError
from MedSegAI.Logic.worker.array_files import file_size
from MedSegAI.Logic.worker.kept_arrays import KeptArrays

SCAN = np.arange(60, dtype=np.int16).reshape(3, 4, 5)


@pytest.fixture
def kept(tmp_path):
    return KeptArrays(tmp_path / "kept")


def files_in(folder):
    return sorted(path.name for path in (folder / "kept").glob("*"))


def is_one_file(one, other):
    return one.stat().st_ino == other.stat().st_ino


def test_the_same_voxels_come_from_the_same_file_whatever_became_of_the_first_job(kept, tmp_path):
    kept.put(SCAN, tmp_path / "first.npy")
    inode = (tmp_path / "first.npy").stat().st_ino
    (tmp_path / "first.npy").unlink()
    kept.put(SCAN.copy(), tmp_path / "second.npy")
    assert (tmp_path / "second.npy").stat().st_ino == inode
    np.testing.assert_array_equal(np.load(tmp_path / "second.npy"), SCAN)


@pytest.mark.parametrize(
    "other",
    [SCAN + np.int16(1), SCAN.view(np.uint16), SCAN.reshape(5, 4, 3), SCAN[:2], SCAN[::-1], SCAN.astype(">i2")],
    ids=["voxels", "dtype", "shape", "part", "order", "byte order"],
)
def test_another_array_is_another_file(kept, tmp_path, other):
    kept.put(SCAN, tmp_path / "first.npy")
    kept.put(other, tmp_path / "second.npy")
    assert not is_one_file(tmp_path / "first.npy", tmp_path / "second.npy")
    read = np.load(tmp_path / "second.npy")
    np.testing.assert_array_equal(read, other)
    assert read.dtype == other.dtype


def test_what_the_worker_gave_up_meanwhile_is_written_again(kept, tmp_path):
    kept.put(SCAN, tmp_path / "first.npy")
    for path in (tmp_path / "kept").iterdir():
        path.unlink()
    (tmp_path / "kept").rmdir()
    kept.put(SCAN, tmp_path / "second.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "second.npy"), SCAN)
    assert len(files_in(tmp_path)) == 1


def test_the_least_recently_used_array_goes_first(tmp_path):
    kept = KeptArrays(tmp_path / "kept", most_bytes=2 * file_size(SCAN))
    for number in range(2):
        kept.put(SCAN + np.int16(number), tmp_path / f"{number}.npy")
    kept.put(SCAN, tmp_path / "again.npy")
    kept.put(SCAN + np.int16(2), tmp_path / "2.npy")
    assert len(files_in(tmp_path)) == 2
    kept.put(SCAN, tmp_path / "once more.npy")
    assert is_one_file(tmp_path / "0.npy", tmp_path / "once more.npy")
    kept.put(SCAN + np.int16(1), tmp_path / "1 again.npy")
    assert not is_one_file(tmp_path / "1.npy", tmp_path / "1 again.npy")


def test_an_array_larger_than_all_that_may_be_kept_is_only_written(tmp_path):
    KeptArrays(tmp_path / "kept", most_bytes=1).put(SCAN, tmp_path / "scan.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "scan.npy"), SCAN)
    assert files_in(tmp_path) == []


def test_a_disk_without_links_keeps_nothing(kept, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError

    monkeypatch.setattr(os, "link", refuse)
    for name in ("first.npy", "second.npy"):
        kept.put(SCAN, tmp_path / name)
        np.testing.assert_array_equal(np.load(tmp_path / name), SCAN)
    assert files_in(tmp_path) == []


def test_a_cancel_while_a_known_array_is_looked_for_leaves_no_file(kept, tmp_path):
    kept.put(SCAN, tmp_path / "first.npy")
    with pytest.raises(Cancelled):
        kept.put(SCAN, tmp_path / "second.npy", stopped=lambda: True)
    assert not (tmp_path / "second.npy").exists()


def test_a_folder_that_is_gone_is_a_sentence(kept, tmp_path):
    with pytest.raises(StorageError):
        kept.put(SCAN, tmp_path / "gone" / "scan.npy")
