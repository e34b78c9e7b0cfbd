"""A word on the command line may name a file, whose values become the step's settings."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.step_files import settings_as_written, step_from_text_and_files
from MedSegAI.Logic.standardise.catalogue import step_kinds
from MedSegAI.Logic.standardise.mr.histogram_match import HistogramMatch
from MedSegAI.Logic.standardise.mr.nyul import Nyul
from MedSegAI.Logic.standardise.mr.z_score import RobustZScore


@pytest.fixture
def landmarks(tmp_path):
    path = tmp_path / "landmarks.json"
    path.write_text(Nyul((1.0, 50.0, 99.0), (0.0, 40.0, 100.0), "otsu", 7).learned.to_json())
    return path


def test_a_reference_is_read_and_its_quantiles_are_kept(a_crop):
    step = step_from_text_and_files(f"histogram-match:reference={a_crop},foreground=positive")
    assert step == HistogramMatch.to_reference(read_volume(a_crop), foreground="positive")
    assert step.quantiles[32] == pytest.approx(np.median(read_volume(a_crop).array), abs=1)


def test_landmarks_are_read(landmarks):
    assert step_from_text_and_files(f"nyul:landmarks={landmarks}") == Nyul((1, 50, 99), (0, 40, 100), "otsu", 7)


def test_other_words_mean_what_they_always_do():
    assert step_from_text_and_files("z-score:trim=2.5") == RobustZScore(trim=2.5)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("nyul:landmarks={},scans=3", "'scans' cannot be set beside the file of 'nyul'"),
        ("histogram-match:reference={},bins=3", "'bins' cannot be set beside the file"),
        ("nyul:landmarks=gone.json", r"There is no file 'gone\.json'"),
        ("nyul:landmarks={}/..", "could not be read"),
        ("histogram-match:reference=gone.nii", r"There is no file or folder 'gone\.nii'"),
        ("nyul", "learned from a set"),
    ],
)
def test_what_cannot_be_used_is_refused(a_crop, landmarks, word, sentence):
    file = a_crop if "match" in word else landmarks.parent if ".." in word else landmarks
    with pytest.raises(InputError, match=sentence):
        step_from_text_and_files(word.format(file))


def test_settings_are_shown_as_they_are_written():
    assert settings_as_written(Nyul) == {"landmarks": "FILE"}
    assert settings_as_written(HistogramMatch) == {"reference": "FILE", "foreground": "auto"}
    for kind in set(step_kinds().values()) - {Nyul, HistogramMatch}:
        assert kind(**settings_as_written(kind)).to_plain() == settings_as_written(kind)
