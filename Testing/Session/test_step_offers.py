"""Every step is offered with settings that a face can make inputs of, and what a person typed becomes the step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.catalogue import step_kinds
from MedSegAI.Logic.standardise.mr.nyul import Nyul
from MedSegAI.Logic.volume import Modality
from MedSegAI.Session.step_offers import ChosenStep, SettingKind, StepNeed, offer_of, step_of


def offers():
    return {kind: offer_of(found) for kind, found in step_kinds().items()}


def test_every_step_that_needs_nothing_else_can_be_taken_as_it_is_offered():
    for kind, offer in offers().items():
        if offer.needs is StepNeed.NOTHING:
            made = step_of(ChosenStep(kind, {setting.name: setting.value for setting in offer.settings}))
            assert made == step_kinds()[kind]()


def test_each_word_that_is_offered_is_one_that_the_step_takes():
    choices = 0
    for kind, offer in offers().items():
        for setting in offer.settings:
            assert (setting.kind is SettingKind.CHOICE) == bool(setting.options)
            for word in setting.options if offer.needs is StepNeed.NOTHING else ():
                step_of(ChosenStep(kind, {setting.name: word}))
                choices += 1
    assert choices > 15


def test_settings_have_the_kind_that_their_values_have():
    found = {setting.name: setting for setting in offers()["n4"].settings}
    kinds = {name: setting.kind for name, setting in found.items()}
    assert kinds == {
        "shrink": SettingKind.WHOLE_NUMBER,
        "levels": SettingKind.WHOLE_NUMBER,
        "iterations": SettingKind.WHOLE_NUMBER,
        "convergence": SettingKind.NUMBER,
        "mask": SettingKind.CHOICE,
    }
    assert {setting.name: setting.kind for setting in offers()["percentile"].settings}["clip"] is SettingKind.SWITCH


@pytest.mark.parametrize(
    ("typed", "shrink", "convergence"),
    [({"shrink": "4", "convergence": "0,01"}, 4, 0.01), ({"shrink": "", "convergence": None}, 0, 0.001)],
)
def test_what_was_typed_is_read_and_what_was_left_empty_is_left_to_the_step(typed, shrink, convergence):
    made = step_of(ChosenStep("n4", typed))
    assert (made.shrink, made.convergence) == (shrink, convergence)


@pytest.mark.parametrize("typed", ["four", "4.5"])
def test_what_is_no_number_is_refused_with_the_settings_name(typed):
    with pytest.raises(InputError, match=f"'{typed}' is no whole number for 'shrink'"):
        step_of(ChosenStep("n4", {"shrink": typed}))


def test_a_width_beside_a_preset_is_not_passed_over_in_silence():
    as_shown = {"preset": "mediastinum", "level": "50", "width": "350", "output": "unit"}
    assert step_of(ChosenStep("window", as_shown)).window.key == "mediastinum"
    for typed in ({**as_shown, "width": "1500"}, {"width": "1500"}, {"preset": "bone", "level": "40"}):
        with pytest.raises(InputError, match="does not go with preset") as caught:
            step_of(ChosenStep("window", typed))
        assert "Choose 'own'" in caught.value.advice
    made = step_of(ChosenStep("window", {**as_shown, "preset": "own", "width": "1500"}))
    assert (made.window.level, made.window.width) == (50.0, 1500.0)


def test_a_scan_to_follow_is_asked_for_and_followed(a_crop, another_crop):
    assert offers()["histogram-match"].needs is StepNeed.SCAN
    assert [setting.name for setting in offers()["histogram-match"].settings] == ["foreground"]
    with pytest.raises(InputError, match="No scan to follow"):
        step_of(ChosenStep("histogram-match", {}))
    made = step_of(ChosenStep("histogram-match", {"foreground": "all"}, reference=another_crop))
    assert made.reference == another_crop.name and made.foreground == "all"
    assert made.quantiles[0] >= another_crop.array.min() and made.quantiles[-1] <= another_crop.array.max()


def test_a_file_of_landmarks_is_asked_for_and_read(a_crop, another_crop, tmp_path):
    assert offers()["nyul"].needs is StepNeed.FILE and offers()["nyul"].settings == ()
    trained = Nyul.trained_on([replace(scan, modality=Modality.MR) for scan in (a_crop, another_crop)])
    (tmp_path / "landmarks.json").write_text(trained.learned.to_json(), encoding="utf-8")
    made = step_of(ChosenStep("nyul", file=tmp_path / "landmarks.json"))
    np.testing.assert_allclose(made.landmarks, trained.landmarks)

    with pytest.raises(InputError, match="No file with landmarks"):
        step_of(ChosenStep("nyul"))
    with pytest.raises(InputError, match="cannot be read as a file of landmarks"):
        step_of(ChosenStep("nyul", file=tmp_path / "missing.json"))
