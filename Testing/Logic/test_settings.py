"""Settings are checked where they are made, with a sentence that says what is allowed."""

from __future__ import annotations

import json

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.settings import ConfidenceChoice, DeviceChoice, RunSettings


def test_settings_survive_json():
    settings = RunSettings(device=DeviceChoice.CPU, confidence=ConfidenceChoice.PER_VOXEL, overlap=0.25, region="1,2")
    assert RunSettings(**json.loads(json.dumps(settings.to_plain()))) == settings


def test_the_users_overlap_wins_over_the_models():
    assert RunSettings().overlap_or(0.5) == 0.5
    assert RunSettings(overlap=0.0).overlap_or(0.5) == 0.0


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"device": "tpu"}, "no device 'tpu'.*auto, cpu, cuda"),
        ({"confidence": "always"}, "no confidence 'always'.*none, per-label, per-voxel"),
        ({"overlap": 1.0}, "overlap 1.0"),
        ({"overlap": -0.1}, "overlap -0.1"),
        ({"batch": 0}, "batch 0"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence(fields: dict, sentence: str):
    with pytest.raises(InputError, match=sentence):
        RunSettings(**fields)
