"""A genuine small model, the command in this process, and the command as a person starts it."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import SimpleITK as sitk

from MedSegAI.CommandLine.main import main
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.models.weights import build_network, save_model

REPOSITORY_ROOT = Path(__file__).resolve().parents[2]
CARD_TEMPLATE = REPOSITORY_ROOT / "MedSegAI" / "Resources" / "Training" / "hippocampus-mr.card.json"
MODEL_NAME = "untrained-hippocampus"


@dataclasses.dataclass(frozen=True)
class Shown:
    """What a command left on the screen, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder of models with one untrained network of the shipped model's size."""
    import torch

    folder = tmp_path_factory.mktemp("models")
    card = ModelCard.from_json(CARD_TEMPLATE.read_text(encoding="utf-8"))
    torch.manual_seed(3)
    network = build_network(card.network, card.network_arguments)
    save_model(folder / MODEL_NAME, dataclasses.replace(card, name=MODEL_NAME), state=network.state_dict())
    return folder


@pytest.fixture(autouse=True)
def only_the_small_model(models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command finds the small model by its name; subprocesses inherit this too."""
    monkeypatch.setenv("MEDSEGAI_MODELS", str(models_folder))


@pytest.fixture
def own_model(tmp_path: Path, models_folder: Path) -> Model:
    """A copy of the small model that a test may spoil."""
    import shutil

    from MedSegAI.Logic.models.registry import read_model

    return read_model(Path(shutil.copytree(models_folder / MODEL_NAME, tmp_path / "own-model")))


@pytest.fixture
def medsegai(capsys: pytest.CaptureFixture[str]) -> Callable[..., Shown]:
    """Run a command in this process: ``medsegai("models", "list")``."""

    def run(*arguments: object) -> Shown:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Shown(code, captured.out, captured.err)

    return run


def start_medsegai(*arguments: object, **options: object) -> subprocess.Popen:
    """Start the command as a person does: its own process, its own Python."""
    command = [sys.executable, "-m", "MedSegAI.CommandLine", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY_ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


@pytest.fixture(scope="session")
def crop(hippocampus_crops) -> Path:
    """A real T1 crop around a left hippocampus."""
    return hippocampus_crops[0].image


@pytest.fixture
def crop_image(crop: Path) -> sitk.Image:
    """The same as a SimpleITK image, to be spoiled."""
    return sitk.ReadImage(str(crop))
