"""A pretraining configuration is checked before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.config import read_config
from MedSegAI.Logic.training.pretrain.config import (
    ReconstructThrough,
    pretraining_config_as_mapping,
    pretraining_config_from_mapping,
    read_pretraining_config,
)


def test_a_configuration_survives_the_way_into_a_file_and_back(a_config, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(pretraining_config_as_mapping(a_config)))
    assert read_pretraining_config(path) == a_config


def test_the_shipped_configuration_prepares_images_and_network_as_the_training_it_is_for(repository_root: Path):
    folder = repository_root / "MedSegAI" / "Resources" / "Training"
    before, after = (
        read_pretraining_config(folder / "hippocampus-pretrain.yaml"),
        read_config(folder / "hippocampus-mr.yaml"),
    )
    assert before.network == after.network
    assert before.patch_size == after.patch_size
    assert before.data.normalisation == after.data.normalisation
    assert before.data.spacing_mm == after.data.spacing_mm
    assert before.data.split_list == "train"
    assert before.reconstruct_through == ReconstructThrough.DECODER


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"batch_size": 1, "tasks": {}}, "batch_size is 1, so there is no other sample to tell a view from"),
        ({"patch_size": [32, 64, 96]}, "has no two equal sides, so it cannot be turned"),
        ({"patch_size": [32, 0, 32]}, "three positive numbers"),
        ({"tasks": {"reconstruction": 0, "rotation": 0, "contrastive": 0}}, "All weights in tasks are 0"),
        ({"tasks": {"rotation": -1}}, "tasks.rotation is -1"),
        ({"tasks": {"contrastive": 0, "temperature": 0}}, "tasks.temperature is 0"),
        ({"masking": {"fraction": 1.0}}, "masking.fraction is 1.0"),
        ({"masking": {"block_voxels": [8, 0, 8]}}, "masking.block_voxels"),
        ({"reconstruct_through": "wishes"}, "write|Write 'encoder' or 'decoder'"),
        ({"data": {"cache_mib": 0}}, "data.cache_mib is 0"),
        ({"data": {"patches_per_scan": 0}}, "data.patches_per_scan is 0"),
        ({"data": {"spacing_mm": [1, 0, 1]}}, "data.spacing_mm"),
        ({"total_steps": None}, "neither total_steps nor cpu_minutes is given"),
        ({"total_steps": 0}, "total_steps is 0"),
        ({"cpu_minutes": 0}, "cpu_minutes is 0"),
        ({"checkpoint_steps": 0}, "checkpoint_steps is 0"),
        ({"speed": 1}, "unknown field 'speed'"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(a_mapping, change, sentence):
    with pytest.raises(InputError, match=sentence):
        pretraining_config_from_mapping(a_mapping | change)


def test_each_scan_may_keep_its_spacing(a_mapping):
    assert pretraining_config_from_mapping(a_mapping | {"data": {"spacing_mm": None}}).data.spacing_mm is None


@pytest.mark.parametrize(("text", "sentence"), [(None, "cannot be read"), ("a: [", "is not valid YAML")])
def test_a_file_that_is_no_configuration_is_refused(tmp_path, text, sentence):
    path = tmp_path / "config.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_pretraining_config(path)
