"""A model of random weights, saved where models of a user's own lie."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.models.weights import build_network, save_model


@pytest.fixture
def the_card(repository_root: Path) -> ModelCard:
    card = repository_root / "MedSegAI" / "Resources" / "Training" / "hippocampus-mr.card.json"
    return ModelCard.from_json(card.read_text(encoding="utf-8"))


@pytest.fixture
def a_network(the_card: ModelCard) -> torch.nn.Module:
    torch.manual_seed(1)
    return build_network(the_card.network, the_card.network_arguments)


@pytest.fixture
def a_model(the_card: ModelCard, a_network: torch.nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    monkeypatch.setenv("MEDSEGAI_MODELS", str(tmp_path))
    card = dataclasses.replace(the_card, name="my-hippocampus")
    return save_model(tmp_path / "my-hippocampus", card, state=a_network.state_dict())
