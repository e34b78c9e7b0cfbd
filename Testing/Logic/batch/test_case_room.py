"""A case's folder is there with all its files, or as it was before."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.batch.case_room import case_folder, case_room
from MedSegAI.Logic.errors import StorageError


@pytest.fixture
def earlier(tmp_path):
    """A case with a result, in a batch's folder."""
    with case_room(tmp_path, "head") as room:
        (room / "result").write_text("earlier")
    return case_folder(tmp_path, "head") / "result"


def test_a_new_result_takes_the_place_of_the_earlier_one(tmp_path, earlier):
    with case_room(tmp_path, "head") as room:
        assert earlier.read_text() == "earlier"
        (room / "result").write_text("new")
    assert earlier.read_text() == "new"
    assert list((tmp_path / "unfinished").iterdir()) == []


def test_what_ends_early_leaves_the_earlier_result(tmp_path, earlier):
    with pytest.raises(KeyboardInterrupt), case_room(tmp_path, "head") as room:
        (room / "result").write_text("half")
        raise KeyboardInterrupt
    assert earlier.read_text() == "earlier"


def test_a_folder_that_cannot_be_moved_leaves_the_earlier_result(tmp_path, earlier):
    with pytest.raises(StorageError), case_room(tmp_path, "head") as room:
        room.rmdir()
    assert earlier.read_text() == "earlier"
