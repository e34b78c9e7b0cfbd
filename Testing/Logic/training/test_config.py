"""A configuration is checked field by field before the first step."""

from __future__ import annotations

from pathlib import Path

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.config import config_as_mapping, config_from_mapping, read_config


def test_the_shipped_configuration_is_valid(repository_root: Path):
    config = read_config(repository_root / "MedSegAI/Resources/Training/hippocampus-mr.yaml")
    assert config.class_count == config.network.arguments["out_channels"] == 3
    assert config.patch_size == (32, 64, 32)
    assert config.data.normalisation.clip_percentiles == (0.5, 99.5)


def test_a_configuration_survives_the_way_through_plain_values(a_mapping):
    config = config_from_mapping(a_mapping)
    assert config_from_mapping(config_as_mapping(config)) == config


def test_whole_numbers_are_taken_for_fractions(a_mapping):
    a_mapping["optimiser"] = {"gradient_norm": 12}
    assert config_from_mapping(a_mapping).optimiser.gradient_norm == 12.0


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (
            "learning_rat",
            1.0,
            "the top level has the unknown field 'learning_rat'. Did you mean 'optimiser.learning_rate'",
        ),
        ("batchsize", 1, "the top level has the unknown field 'batchsize'. Did you mean 'batch_size'"),
        ("schedul", 1, "the top level has the unknown field 'schedul'. Did you mean 'schedule'"),
        ("zzz", 1, "the top level has the unknown field 'zzz'. Known are name, data"),
        ("optimiser.learning_rat", 1.0, "optimiser has the unknown field 'learning_rat'. Did you mean 'learning_rate'"),
        (
            "optimiser.batch_size",
            1,
            "optimiser has the unknown field 'batch_size'. Did you mean 'batch_size' at the top",
        ),
        ("optimiser.learning_rate", "1e-3", r"optimiser.learning_rate is '1e-3'. Give a number \(write 1.0e-3"),
        ("optimiser.learning_rate", 0.0, "optimiser.learning_rate is 0.0. Give a positive number"),
        ("optimiser.weight_decay", -1.0, "optimiser.weight_decay is -1.0"),
        ("optimiser.warm_up_steps", -1, "optimiser.warm_up_steps is -1"),
        ("optimiser.final_fraction", 2.0, "optimiser.final_fraction is 2.0"),
        ("optimiser.gradient_norm", 0.0, "optimiser.gradient_norm is 0.0"),
        ("optimiser.average_decay", 1.0, "optimiser.average_decay is 1.0"),
        ("augmentation.noise", -0.1, "augmentation.noise is -0.1. Give 0 or a positive number"),
        ("augmentation.flip_probability", 1.5, "flip_probability is 1.5. Give a number from 0 to 1"),
        ("augmentation.scale", 1.0, "augmentation.scale is 1.0"),
        ("validation.every_epochs", 0, "validation.every_epochs is 0"),
        ("validation.overlap", 1.0, "validation.overlap is 1.0"),
        ("early_stopping.patience", -1, "early_stopping.patience is -1"),
        ("early_stopping.monitor", "dice", "early_stopping.monitor is 'dice'. Write 'val_dice' or 'train_loss'"),
        ("early_stopping.min_delta", -0.1, "early_stopping.min_delta is -0.1"),
        ("validation.patience", 3, "validation has the field 'patience', which is called early_stopping.patience now"),
        (
            "schedule.kind",
            "cosine_restarts",
            "schedule.kind is 'cosine_restarts'. Write 'cosine_warm_restarts' or 'cos",
        ),
        ("schedule.first_epochs", 0, "schedule.first_epochs is 0"),
        ("schedule.factor", 0, "schedule.factor is 0"),
        ("loss.kind", "dice", "loss.kind is 'dice'. Write 'dice_ce', 'dice_focal'"),
        ("loss.focal_gamma", -1.0, "loss.focal_gamma is -1.0"),
        ("loss.missed_weight", 1.0, "loss.missed_weight is 1.0"),
        ("keeping.checkpoint_minutes", -1.0, "keeping.checkpoint_minutes is -1.0"),
        ("keeping.picture_epochs", 0, "keeping.picture_epochs is 0"),
        ("keeping.tensorboard", "yes", "keeping.tensorboard is 'yes'. Give true or false"),
        ("precision", "fp8", "precision is 'fp8'. Write 'bf16-mixed', 'fp32' or 'fp16-mixed'"),
        ("device", "tpu", "device is 'tpu'. Write 'auto', 'cpu' or 'cuda'"),
        ("cpu_minutes", 0.0, "cpu_minutes is 0.0"),
        ("total_steps", None, "neither total_steps nor cpu_minutes is given"),
        ("data.labels", {}, "data.labels is empty"),
        ("data.labels", {1: "a", 3: "b"}, r"data.labels has the values \[1, 3\]"),
        ("data.labels", [1, 2], "data.labels is .* Write it as 'key: value' lines"),
        ("data.spacing_mm", [1, 1, 0], "data.spacing_mm is"),
        ("data", 3, "data is not a table of fields"),
        ("patch_size", [32, 64], "patch_size is .* Give a list of 3 numbers"),
        ("patch_size", [32, 64, 1.5], "patch_size is 1.5. Give a whole number"),
        ("patch_size", [32, 64, 0], "patch_size is"),
        ("total_steps", True, "total_steps is True. Give a whole number"),
        ("total_steps", 0, "total_steps is 0"),
        ("batch_size", 0, "batch_size is 0"),
        ("threads", 0, "threads is 0"),
        ("foreground_fraction", 2.0, "foreground_fraction is 2.0"),
        ("dice_background", "maybe", "dice_background is 'maybe'. Write 'included' or 'excluded'"),
        ("name", 7, "name is 7. Give a text"),
    ],
)
def test_a_field_that_cannot_be_used_is_named_in_a_sentence(a_mapping, path, value, sentence):
    *tables, field = path.split(".")
    table = a_mapping
    for name in tables:
        table = table.setdefault(name, {})
    table[field] = value
    with pytest.raises(InputError, match=sentence):
        config_from_mapping(a_mapping)


def test_a_missing_field_is_named(a_mapping):
    del a_mapping["patch_size"]
    with pytest.raises(InputError, match="the top level lacks the field 'patch_size'"):
        config_from_mapping(a_mapping)


def test_a_missing_file_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(InputError, match=r"'.*absent.yaml' cannot be read: No such file"):
        read_config(tmp_path / "absent.yaml")


def test_a_file_that_is_not_yaml_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "bad.yaml").write_text("name: [unclosed")
    with pytest.raises(InputError, match=r"'.*bad.yaml' is not valid YAML"):
        read_config(tmp_path / "bad.yaml")


def test_the_sentence_names_the_file(tmp_path):
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(InputError, match=r"'.*empty.yaml' cannot be used: the top level is not a table"):
        read_config(tmp_path / "empty.yaml")
