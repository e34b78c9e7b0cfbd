"""How far a batch is and how long it will still take, in words."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.batch import told_progress
from MedSegAI.Logic.batch.case_record import CaseRecord, CaseStatus
from MedSegAI.Logic.batch.told_progress import ToldProgress
from MedSegAI.Logic.reporter import SilentReporter

DONE = CaseRecord("anna", CaseStatus.DONE, "a.nii", "digest")
FAILED = CaseRecord("ben", CaseStatus.FAILED, "b.nii", "digest", sentence="Kaputt.")


@pytest.mark.parametrize(
    ("seconds", "left"), [(4.0, "16 s"), (60.0, "4 min"), (7200.0, "8.0 h")], ids=["seconds", "minutes", "hours"]
)
def test_the_time_left_follows_from_the_pace(seconds, left):
    told = ToldProgress(SilentReporter(), total=10)
    told.ended(DONE)
    told.ended(FAILED)
    assert told.sentence(seconds=seconds) == f"2 of 10 cases, 1 of them failed; about {left} left."


def test_failures_are_told_at_once_and_the_rest_now_and_then(monkeypatch):
    reporter = SilentReporter()
    told = ToldProgress(reporter, total=3)
    told.ended(FAILED)
    told.ended(DONE)
    assert reporter.messages == ["ben failed: Kaputt."]
    monkeypatch.setattr(told_progress, "_SECONDS_BETWEEN_LINES", 0.0)
    told = ToldProgress(reporter, total=2)
    told.ended(DONE)
    told.ended(DONE)
    assert reporter.messages[1:] == ["1 of 2 cases; about 0 s left."]
