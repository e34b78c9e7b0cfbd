"""What was measured stays measured, whatever ends the run."""

from __future__ import annotations

import json

import pytest

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.evaluation.luna16.scan_record import LEDGER_NAME, NoduleScores, ScanLedger, ScanRecord
from MedSegAI.Logic.evaluation.metrics import MaskScores

SCORES = MaskScores(0.5, 0.25, 0.75, None, 0.5, None, 2.0, 3.0, 0.5, 1.0, 33.5, 1.0, None, 2)


def record(series: str = "1.1", *, state: str = "a", problem: str = "") -> ScanRecord:
    nodules = () if problem else (NoduleScores(f"{series}/1", 6.0, 4, True, SCORES),)
    return ScanRecord(series, 0, "patient", "ours", state, nodules, ("1.1/2",), 3, 1.5, problem)


def test_a_record_is_read_as_it_was_written(tmp_path):
    ScanLedger(tmp_path).add(record())
    assert ScanLedger(tmp_path).done("1.1", "ours", "a") == record()


def test_other_scans_methods_and_states_are_not_done(tmp_path):
    ledger = ScanLedger(tmp_path)
    ledger.add(record())
    for series, method, state in (("1.2", "ours", "a"), ("1.1", "theirs", "a"), ("1.1", "ours", "b")):
        assert ledger.done(series, method, state) is None


def test_the_last_line_of_a_scan_counts(tmp_path):
    ledger = ScanLedger(tmp_path)
    ledger.add(record(state="a"))
    ledger.add(record(state="b"))
    again = ScanLedger(tmp_path)
    assert again.done("1.1", "ours", "a") is None
    assert again.done("1.1", "ours", "b") == record(state="b")


def test_a_scan_that_was_passed_over_is_tried_again(tmp_path):
    ScanLedger(tmp_path).add(record(problem="It is cut short."))
    assert ScanLedger(tmp_path).done("1.1", "ours", "a") is None


def test_a_line_that_a_crash_cut_off_spoils_no_other(tmp_path):
    ScanLedger(tmp_path).add(record("1.1"))
    path = tmp_path / LEDGER_NAME
    path.write_bytes(path.read_bytes() + b'{"series": "1.2", "fo')
    again = ScanLedger(tmp_path)
    again.add(record("1.3"))
    lines = path.read_text().splitlines()
    assert len(lines) == 3
    json.loads(lines[2])
    last = ScanLedger(tmp_path)
    assert [last.done(series, "ours", "a") is not None for series in ("1.1", "1.2", "1.3")] == [True, False, True]


def test_a_folder_in_the_file_s_place_is_told(tmp_path):
    (tmp_path / LEDGER_NAME).mkdir()
    with pytest.raises(StorageError):
        ScanLedger(tmp_path)


def test_a_folder_that_is_gone_is_told(tmp_path):
    with pytest.raises(StorageError):
        ScanLedger(tmp_path / "absent").add(record())
