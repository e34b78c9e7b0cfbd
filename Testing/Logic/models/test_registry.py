"""Models are folders; they are found by name or path and checked against their card."""

from __future__ import annotations

from pathlib import Path

import pytest

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.models.registry import (
    CARD_NAME,
    WEIGHTS_NAME,
    Model,
    find_model,
    model_folders,
    read_model,
    user_models_folder,
    verify,
)


def test_a_saved_model_is_found_by_name_and_by_path(a_model: Model):
    assert find_model("my-hippocampus").card == a_model.card
    assert find_model(a_model.folder).folder == a_model.folder
    assert a_model.folder in model_folders()


def test_an_unknown_model_is_refused_with_those_there_are(a_model: Model):
    with pytest.raises(ModelError, match=r"no model 'liver'.*my-hippocampus"):
        find_model("liver")


@pytest.mark.parametrize("missing", [CARD_NAME, WEIGHTS_NAME])
def test_an_incomplete_folder_is_refused(a_model: Model, missing: str):
    (a_model.folder / missing).unlink()
    with pytest.raises(ModelError, match=f"{missing} is missing"):
        find_model(a_model.folder)


def test_an_unreadable_card_is_refused(a_model: Model):
    (a_model.folder / CARD_NAME).write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ModelError, match="cannot be read"):
        read_model(a_model.folder)


def test_weights_that_cannot_be_read_are_refused(a_model: Model):
    a_model.weights_path.unlink()
    a_model.weights_path.mkdir()
    with pytest.raises(ModelError, match="cannot be read"):
        verify(a_model)


def test_without_a_setting_models_lie_in_the_home_folder(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MEDSEGAI_MODELS", raising=False)
    assert user_models_folder().is_relative_to(Path.home())


def test_a_users_model_takes_the_place_of_a_shipped_one_of_its_name(a_model: Model):
    mine = a_model.folder.with_name("hippocampus-mr")
    a_model.folder.rename(mine)
    assert find_model("hippocampus-mr").folder == mine
    assert [folder.name for folder in model_folders()].count("hippocampus-mr") == 1
