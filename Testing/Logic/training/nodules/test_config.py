from __future__ import annotations

from pathlib import Path

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.config import config_as_mapping, config_from_mapping, read_config
from MedSegAI.Logic.training.nodules.config import NoduleDataConfig, ReferenceKind


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reference": "best"}, "staple"),
        ({"labels": {2: "nodule"}}, "value 1"),
        ({"cubes_folder": "", "slices_folder": ""}, "one folder"),
        ({"click_error": 1.5}, "0 to 1"),
        ({"cube_repeats": 0}, "1 or more"),
        ({"edge_margin": -1}, "0 or more"),
        ({"kind": "decathlon"}, "nodules"),
    ],
)
def test_a_field_out_of_range_is_refused_with_what_would_do(fields: dict, said: str) -> None:
    with pytest.raises(InputError) as refused:
        NoduleDataConfig(**fields)
    assert said in refused.value.advice


def test_a_run_names_nodules_as_its_kind_of_data_and_reads_back_as_it_was_written() -> None:
    fields = {
        "name": "a",
        "data": {"kind": "nodules", "reference": "soft"},
        "patch_size": [64, 64, 64],
        "total_steps": 2,
    }
    config = config_from_mapping(fields)
    assert ReferenceKind(config.data.reference) is ReferenceKind.SOFT
    assert config.class_count == 2
    assert config_from_mapping(config_as_mapping(config)) == config


def test_the_configuration_of_the_shipped_model_is_valid(repository_root: Path) -> None:
    config = read_config(repository_root / "MedSegAI" / "Resources" / "Training" / "lung-nodule-ct.yaml")
    assert config.name == "lung-nodule-ct" and config.data.kind == "nodules"
