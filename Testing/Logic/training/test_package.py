"""A run becomes a model whose card says how it came about."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.evaluation.metrics import MaskScores
from MedSegAI.Logic.evaluation.tables import CaseScores, Evaluation
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model, read_model, verify
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.training.checkpoint import load_checkpoint
from MedSegAI.Logic.training.package import package_model, with_accuracy
from MedSegAI.Logic.training.trainer import TrainingSummary, train


@pytest.fixture
def a_template(repository_root: Path) -> ModelCard:
    card = repository_root / "MedSegAI/Resources/Training/hippocampus-mr.card.json"
    return ModelCard.from_json(card.read_text(encoding="utf-8"))


@pytest.fixture
def a_run(a_config, two_real_crops, tmp_path) -> TrainingSummary:
    config = dataclasses.replace(a_config, total_steps=1)
    return train(config, data=two_real_crops, output=tmp_path / "run", reporter=SilentReporter())


@pytest.fixture
def a_packaged_model(a_run, a_template, two_real_crops, tmp_path) -> Model:
    return package_model(
        a_run.checkpoint,
        a_template,
        folder=tmp_path / "model",
        split=two_real_crops / "split.json",
        notes={"choices": {"flip": "none"}},
    )


def test_a_packaged_run_is_a_complete_model_with_the_averaged_weights(a_packaged_model, a_run):
    model = read_model(a_packaged_model.folder)
    verify(model)
    trained = load_checkpoint(a_run.checkpoint).average
    for name, weight in load_network(model).state_dict().items():
        torch.testing.assert_close(weight, trained[name], atol=1e-3, rtol=1e-3)


def test_the_card_says_what_was_trained(a_packaged_model, a_config):
    card = read_model(a_packaged_model.folder).card
    assert card.network_arguments == a_config.network.arguments
    assert card.window == a_config.patch_size
    assert card.inputs[0].normalisation == a_config.data.normalisation
    assert card.training["split"]["train_cases"] == 2
    assert card.training["steps"] == 1
    assert card.training["epochs"] == 1
    assert card.training["configuration"]["seed"] == a_config.seed
    assert card.training["choices"] == {"flip": "none"}


def test_a_template_with_other_labels_is_refused_with_a_sentence(a_run, a_template, two_real_crops, tmp_path):
    one_label = dataclasses.replace(a_template, labels=LabelTable(a_template.labels.labels[:1]))
    with pytest.raises(ModelError, match=r"The card names the label values \[1\], the run was trained on \[1, 2\]"):
        package_model(a_run.checkpoint, one_label, folder=tmp_path / "model", split=two_real_crops / "split.json")
    assert not (tmp_path / "model").exists()


def test_what_was_measured_goes_on_the_card_and_the_weights_stay(a_packaged_model):
    scores = MaskScores(0.9, 0.9, 0.99, 0.9, 0.99, 1.0, 1.5, 1.5)
    evaluation = Evaluation(
        a_packaged_model.card.name,
        a_packaged_model.card.weights_sha256,
        "msd_hippocampus",
        "val",
        (CaseScores("a", 0.1, {"anterior_hippocampus": scores}),),
    )
    measured = with_accuracy(a_packaged_model, evaluation, command="medsegai evaluate")
    assert measured.card.weights_sha256 == a_packaged_model.card.weights_sha256
    written = json.loads((measured.folder / "card.json").read_text())
    assert written["accuracy"]["mean"]["anterior_hippocampus"]["dice"] == 0.9
    assert written["accuracy"]["command"] == "medsegai evaluate"
    assert written["accuracy"]["scoring"] == {"tolerance_mm": 1.0, "lesion_iou": 0.0}
    assert written["accuracy"]["interval"]["anterior_hippocampus"]["dice"] is None
    assert written["accuracy"]["lowest_dice"]["anterior_hippocampus"] == {"case": "a", "dice": 0.9}
    every_case = json.loads((measured.folder / written["accuracy"]["every_case"]).read_text())
    assert every_case["cases"][0]["labels"]["anterior_hippocampus"]["hd95_mm"] == 1.0
    other = dataclasses.replace(evaluation, model_sha256="0" * 64)
    with pytest.raises(InputError, match="The evaluation is of other weights"):
        with_accuracy(measured, other, command="")
