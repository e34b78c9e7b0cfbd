"""Descriptions keep terms of imaging and lose names and numbers."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.files.dicom.deidentify.safe_descriptions import safe_words


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("T1post", "T1post"),
        ("AX T2 FLAIR 3mm b1000", "AX T2 FLAIR 3mm b1000"),
        ("Chest CT of Hans Meier, 1950-01-02, phase 2", "Chest CT of phase 2"),
        ("MPRAGE_SAG_Huber", "MPRAGE SAG"),
        ("4711123", ""),
        ("", ""),
    ],
)
def test_only_words_of_imaging_and_short_measures_stay(text, kept):
    assert safe_words(text) == kept
