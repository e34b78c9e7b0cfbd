"""A small model folder, and reviewed cases of real hippocampi whose experts' labels stand for corrections."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from MedSegAI.Logic.files.decathlon import read_split
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, Model, read_model
from MedSegAI.Logic.models.weights import save_model
from MedSegAI.Logic.recalibrate.assess import Assessment, assess
from MedSegAI.Logic.recalibrate.case_logits import CaseLogits
from MedSegAI.Logic.recalibrate.decide import Rules
from MedSegAI.Logic.recalibrate.draft import Draft, write_draft
from MedSegAI.Logic.recalibrate.reviewed_cases import reviewed_cases
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from Testing.reviewed_cases import reviewed_crops

FIVE = Rules(fewest_cases=5)


def judged(model: Model, folders: Sequence[Path], *, subject_rule: str = "") -> Assessment:
    cases = reviewed_cases(folders, model, fewest=FIVE.fewest_cases)
    return assess(
        model, cases, rules=FIVE, settings=RunSettings(), reporter=SilentReporter(), subject_rule=subject_rule
    )


def reviewed(
    data: Path, folder: Path, count: int, *, labels_of: Callable[[np.ndarray], np.ndarray] = lambda labels: labels
) -> list[Path]:
    """Case folders of the first training crops, reviewed by their expert."""
    return reviewed_crops(data, folder, read_split(data / "split.json").train[:count], labels_of=labels_of)


@dataclass(frozen=True)
class MadeOnce:
    """What takes seconds to make: a model, five reviewed cases, and the model judged on them."""

    model: Model
    folders: list[Path]
    assessment: Assessment


@pytest.fixture(scope="session")
def made_once(hippocampus_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """The shipped model with logits 2.5 times as large: the same labels, but far too sure of them."""
    folder = tmp_path_factory.mktemp("made-once")
    shipped = read_model(SHIPPED_MODELS / "hippocampus-mr")
    state = load_file(shipped.weights_path)
    for key in ("out.conv.conv.weight", "out.conv.conv.bias"):
        state[key] = state[key] * 2.5
    card = dataclasses.replace(shipped.card, name="too-sure", overlap=0.0, accuracy={})
    model = save_model(folder / "too-sure", card, state=state)
    shutil.copyfile(shipped.folder / "validation.json", model.folder / "validation.json")
    folders = reviewed(hippocampus_folder, folder, 5)
    return MadeOnce(model, folders, judged(model, folders))


@pytest.fixture
def sharpened(made_once: MadeOnce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """That model in a user's models folder of its own."""
    monkeypatch.setenv("MEDSEGAI_MODELS", str(tmp_path / "models"))
    shutil.copytree(made_once.model.folder, tmp_path / "models" / "too-sure")
    return read_model(tmp_path / "models" / "too-sure")


@pytest.fixture
def a_draft(made_once: MadeOnce, tmp_path: Path) -> Draft:
    return write_draft(made_once.assessment, tmp_path / "draft")


@pytest.fixture
def review(hippocampus_folder: Path, tmp_path: Path) -> Callable[..., list[Path]]:
    """Makes reviewed cases; see :func:`reviewed`."""

    def make(count: int, **choices: Callable) -> list[Path]:
        return reviewed(hippocampus_folder, tmp_path, count, **choices)

    return make


@pytest.fixture
def logits_at() -> Callable[..., list[CaseLogits]]:
    """Cases whose truth is drawn from the very probabilities of their logits; then the logits are multiplied."""

    def make(count: int, *, sharpened_by: float = 1.0, voxels: int = 4000) -> list[CaseLogits]:
        random = np.random.default_rng(3)
        cases = []
        for number in range(count):
            logits = random.normal(0, 2, (voxels, 3))
            probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            truth = (random.random((voxels, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
            scaled = (logits * sharpened_by).astype(np.float32)
            cases.append(CaseLogits(f"case-{number}", scaled, truth.astype(np.uint8), {}))
        return cases

    return make
