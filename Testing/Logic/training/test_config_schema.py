"""The JSON schema accepts what can be trained with, and refuses what an editor should underline."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from MedSegAI.Logic.training.config_explanation import defaults_as_yaml
from MedSegAI.Logic.training.config_schema import config_schema


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(json.dumps(config_schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def as_json(content: dict) -> dict:
    return json.loads(json.dumps(content))


def test_the_defaults_and_the_shipped_configurations_fit(validator, repository_root: Path):
    shipped = sorted((repository_root / "MedSegAI/Resources/Training").glob("*.yaml"))
    runs = [yaml.safe_load(path.read_text()) for path in shipped if "pretrain" not in path.name]
    assert len(runs) >= 1
    for content in (yaml.safe_load(defaults_as_yaml()), *runs):
        assert [error.message for error in validator.iter_errors(as_json(content))] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("learning_rate", 1.0),
        ("optimiser.learning_rat", 1.0),
        ("optimiser.learning_rate", "fast"),
        ("schedule.kind", "cosine_restarts"),
        ("precision", "fp8"),
        ("patch_size", [32, 64]),
        ("total_steps", 1.5),
        ("data.kind", "photographs"),
        ("data.labels", {1: 2}),
        ("keeping.tensorboard", "yes"),
    ],
)
def test_what_is_unknown_or_of_the_wrong_kind_does_not_fit(validator, a_mapping, path, value):
    assert validator.is_valid(as_json(a_mapping))
    changed = copy.deepcopy(a_mapping)
    *tables, field = path.split(".")
    table = changed
    for name in tables:
        table = table.setdefault(name, {})
    table[field] = value
    assert not validator.is_valid(as_json(changed))


def test_a_missing_field_does_not_fit_and_fields_are_described(validator, a_mapping):
    del a_mapping["patch_size"]
    assert not validator.is_valid(as_json(a_mapping))
    rate = validator.schema["properties"]["optimiser"]["properties"]["learning_rate"]
    assert rate["default"] == 1e-4
    assert rate["description"].startswith("Peak rate.")


def test_each_kind_of_data_has_its_own_fields(validator, a_mapping):
    a_mapping["data"] = {"kind": "nodules", "click_error": 0.5}
    a_mapping["network"]["arguments"]["out_channels"] = 2
    assert validator.is_valid(as_json(a_mapping))
    a_mapping["data"] = {"kind": "decathlon", "labels": {"1": "a"}, "click_error": 0.5}
    assert not validator.is_valid(as_json(a_mapping))
