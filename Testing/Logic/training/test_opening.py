"""The kind of data in a configuration decides who opens it."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.config import DataConfig, config_from_mapping
from MedSegAI.Logic.training.config_tables.data_kinds import DATA_KINDS
from MedSegAI.Logic.training.decathlon_set import DecathlonTrainingSet, DecathlonValidationSet
from MedSegAI.Logic.training.opening import OPENING_MODULES, open_sets


def test_a_configuration_without_a_kind_is_of_a_decathlon_folder(a_config, two_real_crops):
    assert isinstance(a_config.data, DataConfig)
    learned, watched = open_sets(a_config, two_real_crops)
    assert (type(learned), len(learned)) == (DecathlonTrainingSet, 2)
    assert (type(watched), len(watched)) == (DecathlonValidationSet, 1)


def test_an_unknown_kind_is_refused_and_the_known_ones_are_named(a_mapping):
    a_mapping["data"]["kind"] = "photographs"
    with pytest.raises(InputError, match=r"data.kind is 'photographs'. Write 'decathlon'"):
        config_from_mapping(a_mapping)


def test_each_kind_of_data_has_somebody_who_opens_it():
    assert DATA_KINDS.keys() == OPENING_MODULES.keys()
