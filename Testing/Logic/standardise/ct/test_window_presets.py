from __future__ import annotations

import pytest

from MedSegAI.Logic.standardise.ct.window_presets import WINDOW_PRESETS, window_preset


def test_the_five_usual_windows_are_there():
    assert [preset.key for preset in WINDOW_PRESETS] == ["lung", "mediastinum", "bone", "brain", "liver"]


def test_the_brain_window_shows_0_to_80_hounsfield_units():
    brain = window_preset("brain")
    assert (brain.low, brain.high) == (0, 80)


def test_each_window_shows_the_tissue_it_is_named_after():
    typical = {"lung": -820, "mediastinum": 50, "bone": 700, "brain": 35, "liver": 60}
    for preset in WINDOW_PRESETS:
        assert preset.low < typical[preset.key] < preset.high


def test_an_unknown_window_names_the_ones_there_are():
    with pytest.raises(ValueError, match="'spleen'; there are lung, mediastinum, bone, brain, liver and own"):
        window_preset("spleen")
