"""Every field of the configuration is explained, and the defaults can be written down and read again."""

from __future__ import annotations

import dataclasses

import pytest
import yaml

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.config import TrainingConfig, config_from_mapping
from MedSegAI.Logic.training.config_explanation import defaults_as_yaml, explained_fields, explanation

NEW = {"name", "data", "patch_size", "total_steps", "network"}


def test_every_field_is_explained_in_words():
    unexplained = [field.name for field in explained_fields() if len(field.text.split()) < 3]
    assert unexplained == []


@pytest.mark.parametrize(
    ("name", "default", "kind", "words"),
    [
        ("optimiser.learning_rate", "0.0001", "number", "Peak rate. 1.0e-4 is safe"),
        ("precision", "bf16-mixed", "one of bf16-mixed, fp32, fp16-mixed", "bfloat16"),
        ("early_stopping.patience", "15", "whole number", "Validations in a row"),
        ("schedule.first_epochs", "10", "whole number", "(T_0)"),
        ("data.normalisation.clip_percentiles", "[0.5, 99.5]", "list of 2 numbers", "percentile"),
        ("augmentation.offset", "0.2", "number", "normalised intensities"),
        ("patch_size", "needed", "list of 3 whole numbers", "voxels"),
        ("data.labels", "needed", "'whole number: text' lines", "background"),
        ("distil", "null", "table", "Teachers"),
        ("schedule", "table", "table", "learning rate"),
    ],
)
def test_a_field_has_a_default_a_kind_and_a_meaning(name, default, kind, words):
    (field,) = [field for field in explained_fields() if field.name == name]
    assert (field.default, field.kind) == (default, kind)
    assert words in field.text


def test_one_table_can_be_explained_alone():
    text = explanation("early_stopping")
    assert "early_stopping.patience: 15   (whole number)" in text
    assert "optimiser" not in text


def test_an_unknown_part_is_refused_and_the_nearest_named():
    with pytest.raises(InputError, match=r"no field 'optimizer'. Did you mean 'optimiser'"):
        explanation("optimizer")


def test_the_defaults_as_yaml_are_a_configuration_with_a_comment_on_each_field():
    text = defaults_as_yaml()
    config = config_from_mapping(yaml.safe_load(text))
    standard = config_from_mapping(
        {"name": "x", "data": {"labels": {1: "a"}}, "patch_size": [32, 64, 32], "total_steps": 1}
    )
    for entry in dataclasses.fields(TrainingConfig):
        if entry.name not in NEW:
            assert getattr(config, entry.name) == getattr(standard, entry.name), entry.name
    assert config.data.normalisation == standard.data.normalisation
    lines = text.splitlines()
    values = [number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    assert [lines[number] for number in values if not lines[number - 1].lstrip().startswith("#")] == []
