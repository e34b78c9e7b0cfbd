"""Which cases count, once each: names, links, times and the cases that the model was chosen on."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from MedSegAI.Logic.corrections.entry import sealed
from MedSegAI.Logic.corrections.journal import read_journal
from MedSegAI.Logic.corrections.masks import import_mask, read_mask
from MedSegAI.Logic.corrections.record import Rater
from MedSegAI.Logic.corrections.scan_reference import scan_reference
from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.recalibrate.reviewed_cases import reviewed_cases


def with_times(folder: Path, time: str) -> None:
    """The same journal with another time in every entry, and its chain made anew."""
    previous, lines = "", b""
    for number, entry in enumerate(read_journal(folder).entries, start=1):
        entry, line = sealed(dataclasses.replace(entry, time=time), number=number, previous=previous)
        previous, lines = entry.hash, lines + line
    (folder / "journal.jsonl").write_bytes(lines)


def test_a_case_named_twice_or_through_a_link_counts_once(sharpened, review, tmp_path):
    folders = review(2)
    (tmp_path / "link").symlink_to(folders[0])
    cases = reviewed_cases([*folders, folders[1], tmp_path / "link"], sharpened, fewest=2)
    assert sorted(case.name for case in cases) == ["patient-1", "patient-2"]


def test_two_folders_of_one_name_are_never_one_case(sharpened, review, tmp_path):
    """Even where one has two reviewers, so that their corrections are called differently."""
    folders = review(2)
    other = tmp_path / "elsewhere" / "patient-1"
    other.parent.mkdir()
    shutil.move(folders[1], other)
    mask, scan = tmp_path / "scans" / "drawn-2.seg.nrrd", tmp_path / "scans" / "patient-2.nii.gz"
    import_mask(other, read_mask(mask), rater=Rater("Bob"), scan=scan_reference(scan))
    with pytest.raises(InputError, match="Two cases are called 'patient-1'"):
        reviewed_cases([folders[0], other], sharpened, fewest=2)


def test_a_time_without_a_zone_is_utc(sharpened, review):
    folders = review(3)
    with_times(folders[0], "2026-03-01T10:00:00")
    with_times(folders[1], "2026-03-01T11:30:00+02:00")
    with_times(folders[2], "2026-03-01T09:45:00Z")
    cases = reviewed_cases(folders, sharpened, fewest=3)
    assert [case.name for case in cases] == ["patient-2", "patient-3", "patient-1"]


def test_a_journal_without_times_is_refused_with_a_sentence(sharpened, review):
    folders = review(1)
    with_times(folders[0], "yesterday")
    with pytest.raises(InputError, match="has no time: 'yesterday'"):
        reviewed_cases(folders, sharpened, fewest=1)


def test_several_reviewers_of_a_case_are_fused(sharpened, review, tmp_path):
    (folder,) = review(1)
    mask, scan = tmp_path / "scans" / "drawn-1.seg.nrrd", tmp_path / "scans" / "patient-1.nii.gz"
    import_mask(folder, read_mask(mask), rater=Rater("Bob"), scan=scan_reference(scan))
    (case,) = reviewed_cases([folder], sharpened, fewest=1)
    assert case.reviewers == ("Anna", "Bob")
    assert set(case.reference().labels.array.ravel()) == {0, 1, 2}


@pytest.mark.parametrize("text", ["{", "[]", '{"cases": 3}'])
def test_scores_of_the_card_that_are_damaged_are_found_out_before_the_work(sharpened, review, text):
    folders = review(1)
    (sharpened.folder / "validation.json").write_text(text)
    with pytest.raises(ModelError, match="does not hold the scores of 'too-sure'"):
        reviewed_cases(folders, sharpened, fewest=1)
