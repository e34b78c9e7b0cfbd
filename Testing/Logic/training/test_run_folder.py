"""One run at a time writes into a folder, and what a killed one had half written is removed."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.training import run_folder as module
from MedSegAI.Logic.training.run_folder import run_folder


def test_a_second_run_is_refused_until_the_first_is_over(tmp_path):
    with run_folder(tmp_path / "new" / "run") as folder:
        assert folder.is_dir()
        with pytest.raises(StorageError, match="Another run is writing into"), run_folder(folder):
            pass
    with run_folder(folder):
        pass


def test_half_written_files_of_a_killed_run_are_removed_and_others_stay(tmp_path):
    room = tmp_path / ".medsegai-writing-x"
    room.mkdir()
    (room / "last.pt").write_bytes(b"half")
    (tmp_path / "last.pt").write_bytes(b"whole")
    with run_folder(tmp_path):
        assert not room.exists()
        assert (tmp_path / "last.pt").read_bytes() == b"whole"


def test_on_a_file_system_without_locks_a_run_goes_on(tmp_path, monkeypatch):
    def unknown(handle):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(module, "take_lock", unknown)
    with run_folder(tmp_path) as folder:
        assert folder == tmp_path
