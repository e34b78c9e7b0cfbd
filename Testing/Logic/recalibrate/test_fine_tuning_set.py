"""A data set to fine-tune on: in the network's space, by its own numbers, mirrored where it sees mirror images."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import yaml

from MedSegAI.Logic.errors import Cancelled, ModelError, StorageError
from MedSegAI.Logic.files.decathlon import read_case
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.recalibrate.fine_tuning_set import write_fine_tuning_set
from MedSegAI.Logic.recalibrate.reviewed_cases import reviewed_cases
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.training.config import read_config
from MedSegAI.Logic.training.data import load_cases


def written(model, made_once, folder, reporter=None):
    cases = reviewed_cases(made_once.folders, model, fewest=5)
    return write_fine_tuning_set(model, cases, folder, settings=RunSettings(), reporter=reporter or SilentReporter())


def test_the_configuration_can_be_trained_with_and_starts_from_the_models_weights(made_once, sharpened, tmp_path):
    written(sharpened, made_once, tmp_path / "set")
    config = read_config(tmp_path / "set" / "fine-tune.yaml")
    assert config.initial_weights == str(sharpened.weights_path)
    assert config.optimiser.learning_rate == pytest.approx(1e-4)
    assert config.precision == "fp32"
    split = json.loads((tmp_path / "set" / "split.json").read_text())
    assert (len(split["train"]), len(split["val"])) == (4, 1)
    (case,) = load_cases(tmp_path / "set", split["val"], config.data)
    assert set(np.unique(case.label)) == {0, 1, 2}


def test_image_and_labels_are_those_of_the_reviewed_case(made_once, sharpened, tmp_path, hippocampus_folder):
    written(sharpened, made_once, tmp_path / "set")
    one = made_once.assessment.cases[0]
    volume, labels = read_case(tmp_path / "set", one.name)
    np.testing.assert_array_equal(labels.array, one.reference().labels.array)
    assert volume.grid.same_frame(labels.grid)


def test_a_model_that_does_not_say_how_it_was_trained_is_refused(made_once, sharpened, tmp_path):
    silent = Model(sharpened.folder, dataclasses.replace(sharpened.card, training={}))
    with pytest.raises(ModelError, match="does not say how it was trained"):
        written(silent, made_once, tmp_path / "set")


def test_nothing_is_left_when_it_is_stopped_or_the_folder_is_in_use(made_once, sharpened, tmp_path):
    class Stopped(SilentReporter):
        def cancelled(self):
            return True

    with pytest.raises(Cancelled):
        written(sharpened, made_once, tmp_path / "set", Stopped())
    assert not (tmp_path / "set").exists()
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("mine")
    with pytest.raises(StorageError):
        written(sharpened, made_once, tmp_path / "used")


def test_the_yaml_is_plain(made_once, sharpened, tmp_path):
    configuration = written(sharpened, made_once, tmp_path / "set")
    assert yaml.safe_load((tmp_path / "set" / "fine-tune.yaml").read_text()) == configuration
