"""``medsegai models``: listed, described, imported, verified."""

from __future__ import annotations

import json

import pytest
import torch

from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.models.weights import build_network
from Testing.CommandLine.conftest import CARD_TEMPLATE, MODEL_NAME


@pytest.fixture
def checkpoint(tmp_path):
    card = json.loads(CARD_TEMPLATE.read_text())
    network = build_network(card["network"], card["network_arguments"])
    torch.save({"state_dict": network.state_dict()}, tmp_path / "trained.pt")
    return tmp_path / "trained.pt"


@pytest.fixture
def card_file(tmp_path):
    """A card as a person writes it: without the digest of weights that do not exist yet."""
    card = json.loads(CARD_TEMPLATE.read_text())
    del card["weights_sha256"]
    (tmp_path / "card.json").write_text(json.dumps(card))
    return tmp_path / "card.json"


def damage(model):
    content = bytearray(model.weights_path.read_bytes())
    content[-1] ^= 1
    model.weights_path.write_bytes(content)


def test_the_installed_models_are_listed(medsegai):
    shown = medsegai("models", "list")
    assert shown.code == 0
    assert MODEL_NAME in shown.out
    listed = json.loads(medsegai("models", "list", "--json").out)["models"]
    (mine,) = [entry for entry in listed if entry["name"] == MODEL_NAME]
    assert (mine["shipped"], mine["problem"]) == (False, None)


def test_a_broken_model_is_listed_with_its_problem(medsegai, own_model, monkeypatch):
    monkeypatch.setenv("MEDSEGAI_MODELS", str(own_model.folder.parent))
    (own_model.folder / "card.json").write_text("{")
    shown = medsegai("models", "list")
    assert shown.code == 0
    assert "broken:" in shown.out
    assert "not valid JSON" in shown.out


def test_the_card_is_shown(medsegai):
    shown = medsegai("models", "info", MODEL_NAME)
    assert shown.code == 0
    for part in ("CC-BY-SA-4.0", "decoder1", "left_anterior_hippocampus", "not a medical device"):
        assert part in shown.out
    facts = json.loads(medsegai("models", "info", MODEL_NAME, "--json").out)
    assert facts["card"]["window"] == [32, 64, 32]


def test_training_and_accuracy_of_the_shipped_model_are_shown_without_a_page_of_json(medsegai):
    shown = medsegai("models", "info", "hippocampus-mr")
    card = json.loads(medsegai("models", "info", "hippocampus-mr", "--json").out)["card"]
    lines = shown.out.splitlines()
    assert len(lines) < 50
    assert not any(line.strip(" ,") in ("{", "}", "[", "]") for line in lines)
    assert any(line.split() == ["steps", str(card["training"]["steps"])] for line in lines)
    for label, figures in card["accuracy"]["mean"].items():
        (row,) = [line.split() for line in lines if line.startswith(label)]
        assert row[1] == f"{figures['dice']:.3f}"


def test_an_unknown_model_is_refused_with_the_names_there_are(medsegai):
    shown = medsegai("models", "info", "liver")
    assert shown.code == 2
    assert "no model 'liver'" in shown.err
    assert MODEL_NAME in shown.err


def test_a_checkpoint_becomes_a_model_that_is_found_by_name(medsegai, checkpoint, card_file, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEGAI_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    shown = medsegai("models", "import", checkpoint, "--card", card_file, "--name", "my-own")
    assert shown.code == 0, shown.err
    assert find_model("my-own").card.weights_sha256 != "0" * 64
    again = medsegai("models", "import", checkpoint, "--card", card_file, "--name", "my-own")
    assert again.code == 2
    assert "exists already" in again.err


def test_a_model_can_be_imported_into_a_folder_of_choice(medsegai, checkpoint, card_file, tmp_path):
    shown = medsegai("models", "import", checkpoint, "--card", card_file, "-o", tmp_path / "here", "--json")
    assert json.loads(shown.out)["folder"] == str(tmp_path / "here")
    assert medsegai("models", "verify", tmp_path / "here").code == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("{", "not valid JSON"), ("[]", "not a valid model card"), ('{"name": "x"}', "not a valid model card")],
)
def test_an_unusable_card_is_refused_before_anything_is_written(medsegai, checkpoint, tmp_path, content, sentence):
    card = tmp_path / "bad.json"
    card.write_text(content)
    shown = medsegai("models", "import", checkpoint, "--card", card, "-o", tmp_path / "here")
    assert shown.code == 2
    assert sentence in shown.err
    assert not (tmp_path / "here").exists()


def test_a_missing_card_and_a_file_that_is_no_checkpoint_are_refused(medsegai, checkpoint, card_file, tmp_path):
    shown = medsegai("models", "import", checkpoint, "--card", tmp_path / "absent.json", "-o", tmp_path / "here")
    assert (shown.code, "cannot be read" in shown.err) == (2, True)
    shown = medsegai("models", "import", card_file, "--card", card_file, "-o", tmp_path / "here")
    assert (shown.code, "checkpoint" in shown.err) == (2, True)
    assert not (tmp_path / "here").exists()


def test_unchanged_weights_are_confirmed(medsegai):
    shown = medsegai("models", "verify", MODEL_NAME)
    assert (shown.code, shown.out) == (0, f"{MODEL_NAME}: unchanged\n")


def test_changed_weights_are_found(medsegai, own_model, monkeypatch):
    damage(own_model)
    shown = medsegai("models", "verify", own_model.folder)
    assert shown.code == 2
    assert "changed or damaged" in shown.err
    monkeypatch.setenv("MEDSEGAI_MODELS", str(own_model.folder.parent))
    shown = medsegai("models", "verify", "--json")
    assert shown.code == 2
    assert any("changed or damaged" in (entry["problem"] or "") for entry in json.loads(shown.out)["models"])
