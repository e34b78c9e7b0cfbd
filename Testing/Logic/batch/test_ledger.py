"""The ledger loses no line that was written, and is not led astray by one that was not written whole."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.batch.case_record import CaseRecord, CaseStatus
from MedSegAI.Logic.batch.input_state import InputState
from MedSegAI.Logic.batch.ledger import LEDGER_NAME, Ledger
from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.report.volumes import SegmentVolume

RECORD = CaseRecord(
    "anna",
    CaseStatus.DONE,
    "/scans/anna.nii",
    "digest",
    state=InputState(1, 2, "stamps", "content"),
    volumes=(SegmentVolume(1, "left", "Links", 3, 0.5),),
    seconds=1.5,
    notes=("a note",),
    files={"segmentation": "cases/anna/segmentation.seg.nrrd"},
)


def test_what_was_added_is_there_for_the_next_run_and_the_last_line_counts(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.add_settings("digest", {"overlap": 0.5})
    ledger.add_settings("digest", {"overlap": 0.5})
    ledger.add(RECORD)
    failed = CaseRecord("anna", CaseStatus.FAILED, "/scans/anna.nii", "other", sentence="Kaputt.")
    ledger.add(failed)
    again = Ledger(tmp_path)
    assert again.records == {"anna": failed}
    assert again.settings == {"digest": {"overlap": 0.5}}
    assert len((tmp_path / LEDGER_NAME).read_text().splitlines()) == 3


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_cut_off_anywhere_is_skipped_and_the_next_one_is_whole(tmp_path, cut):
    Ledger(tmp_path).add(RECORD)
    whole = (tmp_path / LEDGER_NAME).read_bytes()
    (tmp_path / LEDGER_NAME).write_bytes(whole + whole[:cut])
    ledger = Ledger(tmp_path)
    assert ledger.records == {"anna": RECORD}
    other = CaseRecord("ben", CaseStatus.DONE, "/scans/ben.nii", "digest")
    ledger.add(other)
    assert Ledger(tmp_path).records == {"anna": RECORD, "ben": other}


def test_lines_of_another_kind_are_passed_over(tmp_path):
    (tmp_path / LEDGER_NAME).write_text('[]\n{"case": {"case": "x"}}\n{"case": 3}\nno json\n{}\n')
    assert Ledger(tmp_path).records == {}


def test_a_ledger_that_cannot_be_written_is_told(tmp_path):
    ledger = Ledger(tmp_path)
    (tmp_path / LEDGER_NAME).mkdir()
    with pytest.raises(StorageError):
        ledger.add(RECORD)
    with pytest.raises(StorageError):
        Ledger(tmp_path)
