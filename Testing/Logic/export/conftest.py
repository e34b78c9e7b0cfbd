"""One small model, exported once for all tests: even a small network takes some seconds."""

from __future__ import annotations

import contextlib
import dataclasses
import io
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from MedSegAI.CommandLine.main import main
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.models.weights import build_network, save_model

CARD = Path("MedSegAI") / "Resources" / "Training" / "hippocampus-mr.card.json"


@pytest.fixture(scope="session")
def small_model(repository_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Of the shipped model's width, with one block a stage, and windows that fit without being shifted."""
    card = ModelCard.from_json((repository_root / CARD).read_text(encoding="utf-8"))
    arguments = card.network_arguments | {"depths": [1, 1, 1, 1], "window_size": 8}
    torch.manual_seed(0)
    state = build_network(card.network, arguments).state_dict()
    card = dataclasses.replace(card, name="small", network_arguments=arguments)
    return save_model(tmp_path_factory.mktemp("models") / "small", card, state=state)


@dataclass(frozen=True)
class Exported:
    """A file that the command wrote, and what it said."""

    path: Path
    out: str


@pytest.fixture(scope="session")
def exported(small_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    path = tmp_path_factory.mktemp("onnx") / "small.onnx"
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["models", "export", str(small_model.folder), "-o", str(path)]) == 0
    return Exported(path, out.getvalue())
