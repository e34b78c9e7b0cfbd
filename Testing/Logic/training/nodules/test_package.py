from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.metrics import compare_masks
from MedSegAI.Logic.evaluation.stored import read_evaluation
from MedSegAI.Logic.evaluation.tables import CaseScores, Evaluation
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, read_model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.training.checkpoint import load_checkpoint
from MedSegAI.Logic.training.config import DataConfig, config_from_mapping
from MedSegAI.Logic.training.nodules.opening import read_nodules
from MedSegAI.Logic.training.nodules.package import package_nodule_model, with_nodule_accuracy
from MedSegAI.Logic.training.nodules.point_at import segment_at
from MedSegAI.Logic.training.trainer import train

INSIDE = {"in_channels": 2, "out_channels": 2, "feature_size": 12, "window_size": 4}


@pytest.fixture(scope="module")
def trained(small_sets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The best checkpoint of a run of one step."""
    config = config_from_mapping(
        {
            "name": "tiny",
            "data": {"kind": "nodules"},
            "network": {"name": "ClickChannel", "arguments": {"network": "SwinUNETR", "arguments": INSIDE}},
            "patch_size": [32, 32, 64],
            "batch_size": 1,
            "total_steps": 1,
            "precision": "fp32",
            "device": "cpu",
            "keeping": {"worst_cases": 0},
        }
    )
    output = tmp_path_factory.mktemp("run")
    return train(config, data=small_sets, output=output, reporter=SilentReporter()).best_checkpoint


@pytest.fixture
def template(repository_root: Path) -> ModelCard:
    path = repository_root / "MedSegAI" / "Resources" / "Training" / "lung-nodule-ct.card.json"
    return ModelCard.from_json(path.read_text(encoding="utf-8"))


def test_a_run_becomes_a_model_that_segments_from_a_click(
    trained: Path, template: ModelCard, small_sets: Path, tmp_path: Path
) -> None:
    model = package_nodule_model(trained, template, folder=tmp_path / "model", data=small_sets)
    card = read_model(tmp_path / "model").card
    assert card.window == (64, 64, 64) and card.point_box_mm == (64, 64, 64) and card.needs_point
    assert card.training["nodules"]["train"] == {"cubes": 2, "slices": 2, "patients": 2}
    trained_on = (tmp_path / "model" / card.training["trained_on"]).read_text().splitlines()
    assert [line for line in trained_on if not line.startswith("#")] == ["P0", "P2", "P1"]
    config = load_checkpoint(trained).config
    assert card.inputs[0].normalisation == config.data.normalisation
    (case, _) = read_nodules(small_sets, config.data, subset="val")
    rule = card.inputs[0].normalisation
    found = segment_at(load_network(model), case, case.centre, window=card.window, normalisation=rule)
    assert found.shape == case.hu.shape


def test_what_was_measured_is_written_on_the_card_and_beside_it(
    trained: Path, template: ModelCard, small_sets: Path, tmp_path: Path
) -> None:
    model = package_nodule_model(trained, template, folder=tmp_path / "model", data=small_sets)
    scores = {"lung_nodule": compare_masks(np.ones((2, 2, 2)), np.ones((2, 2, 2)), spacing_kji=(1.0, 1.0, 1.0))}
    cases = (CaseScores("P1_error-0.5", 0.1, scores),)
    evaluation = Evaluation("lung-nodule-ct", model.card.weights_sha256, "lidc_cubes_ct", "val", cases)
    with_nodule_accuracy(model, evaluation, command="again", more={"slices": {"nodules": 249}})
    after = read_model(tmp_path / "model")
    assert after.card.accuracy["mean"]["lung_nodule"]["dice"] == 1.0
    assert after.card.accuracy["slices"] == {"nodules": 249} and after.card.accuracy["command"] == "again"
    assert read_evaluation(tmp_path / "model" / "validation.json").cases[0].case == "P1_error-0.5"
    assert after.card.weights_sha256 == model.card.weights_sha256


def test_the_shipped_model_names_the_patients_it_was_trained_and_chosen_on() -> None:
    shipped = read_model(SHIPPED_MODELS / "lung-nodule-ct")
    lines = (shipped.folder / shipped.card.training["trained_on"]).read_text().splitlines()
    patients = [line for line in lines if not line.startswith("#")]
    counted = (shipped.card.training["nodules"][subset]["patients"] for subset in ("train", "val"))
    assert len(set(patients)) == len(patients) == sum(counted)
    assert all(re.fullmatch(r"LIDC-IDRI-\d{4}", patient) for patient in patients)


def test_a_run_on_other_data_is_refused(
    trained: Path, template: ModelCard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = load_checkpoint(trained)
    other = dataclasses.replace(run, config=dataclasses.replace(run.config, data=DataConfig(labels={1: "nodule"})))
    monkeypatch.setattr("MedSegAI.Logic.training.nodules.package.load_checkpoint", lambda _path: other)
    with pytest.raises(InputError, match="decathlon"):
        package_nodule_model(trained, template, folder=tmp_path / "model", data=tmp_path)
    assert not (tmp_path / "model").exists()
