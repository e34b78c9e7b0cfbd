"""A folder of results appears whole or not at all."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.files.new_folder import new_folder


@pytest.mark.parametrize("exists", [False, True])
def test_it_gets_its_name_once_the_block_has_ended_well(tmp_path, exists):
    target = tmp_path / "results"
    if exists:
        target.mkdir()
    with new_folder(target) as room:
        (room / "one").write_text("1")
        assert not target.exists() or not any(target.iterdir())
    assert (target / "one").read_text() == "1"
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_whatever_ends_the_block_early_leaves_nothing(tmp_path, error):
    with pytest.raises(error), new_folder(tmp_path / "results") as room:
        (room / "one").write_text("1")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_in_a_sentence(tmp_path):
    with pytest.raises(StorageError, match="the disk is full"), new_folder(tmp_path / "results"):
        raise OSError(28, "No space left on device")


def test_a_folder_that_holds_something_is_refused_and_kept(tmp_path):
    (tmp_path / "note").write_text("keep")
    for target, sentence in (
        (tmp_path, "holds something"),
        (tmp_path / "note", "is a file"),
        (tmp_path / "a/b", "no f"),
    ):
        with pytest.raises(StorageError, match=sentence), new_folder(target):
            pass
    assert (tmp_path / "note").read_text() == "keep"
