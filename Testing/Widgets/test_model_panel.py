"""The model's panel: what is installed, what the card says, and a model folder of one's own."""

from __future__ import annotations

import json
import shutil

import pytest

from MedSegAI.Logic.models.registry import SHIPPED_MODELS


@pytest.fixture
def my_models(tmp_path, monkeypatch):
    """The user's own models, empty."""
    folder = tmp_path / "models"
    monkeypatch.setenv("MEDSEGAI_MODELS", str(folder))
    return folder


@pytest.fixture
def a_model_folder(tmp_path):
    """A complete model of another name."""
    folder = tmp_path / "download"
    shutil.copytree(SHIPPED_MODELS / "hippocampus-mr", folder)
    card = json.loads((folder / "card.json").read_text())
    card |= {"name": "my-hippocampus", "title": "My hippocampus", "accuracy": {}, "licence": "CC0-1.0"}
    (folder / "card.json").write_text(json.dumps(card))
    return folder


def panel_of(bench):
    from MedSegAI.Widgets.model_panel import ModelPanel

    panel = ModelPanel(bench.ui, bench.session)
    panel.refresh()
    return panel


def test_the_shipped_model_is_chosen_and_described(bench, my_models):
    panel_of(bench)
    assert bench.ui.modelCombo.currentText == "Hippocampus in T1 MR"
    assert "not a medical device" in bench.ui.modelDescription.text
    assert bench.ui.modelLicence.text == "CC-BY-SA-4.0"
    assert bench.ui.modelAccuracy.text.splitlines() == [
        "Anterior hippocampus: Dice 0.89",
        "Posterior hippocampus: Dice 0.87",
        "mean of 62 cases of msd_hippocampus",
    ]
    bench.picture(bench.ui.modelSection, "model")


def test_a_model_of_ones_own_is_copied_and_chosen(bench, my_models, a_model_folder):
    panel_of(bench)
    bench.host.dialogs.answers.append(str(a_model_folder))
    bench.ui.addModelButton.click()
    assert bench.problem == ""
    assert bench.session.choices.model == "my-hippocampus"
    assert bench.ui.modelCombo.currentText == "My hippocampus"
    assert bench.ui.modelAccuracy.text == "not stated"
    assert sorted(path.name for path in my_models.iterdir()) == ["my-hippocampus"]
    bench.choose(bench.ui.modelCombo, "Hippocampus in T1 MR")
    assert bench.session.choices.model == "hippocampus-mr"


def test_a_damaged_model_is_refused_and_nothing_is_left(bench, my_models, a_model_folder):
    panel_of(bench)
    (a_model_folder / "weights.safetensors").write_bytes(b"damaged")
    bench.host.dialogs.answers.append(str(a_model_folder))
    bench.ui.addModelButton.click()
    assert "were changed or damaged" in bench.problem
    assert not my_models.exists() or list(my_models.iterdir()) == []


def test_a_name_that_is_taken_is_refused(bench, my_models):
    panel_of(bench)
    bench.host.dialogs.answers.append(str(SHIPPED_MODELS / "hippocampus-mr"))
    bench.ui.addModelButton.click()
    assert "is installed already" in bench.problem


def test_no_folder_no_change(bench, my_models):
    panel_of(bench)
    bench.host.dialogs.answers.append("")
    bench.ui.addModelButton.click()
    assert bench.problem == "" and bench.session.choices.model == "hippocampus-mr"


def test_a_scene_that_names_a_model_which_is_not_installed_says_so(bench, my_models):
    panel = panel_of(bench)
    bench.session.choose(model="from-another-computer")
    panel.refresh()
    assert bench.ui.modelCombo.currentText == "from-another-computer (not installed)"
    assert "There is no model 'from-another-computer'" in bench.ui.modelDescription.text
