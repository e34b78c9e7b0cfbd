"""A checkpoint of the first version means today what it meant then."""

from __future__ import annotations

import pytest
import torch

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.checkpoint import load_checkpoint
from MedSegAI.Logic.training.checkpoint_versions import CHECKPOINT_VERSION, upgraded_config
from MedSegAI.Logic.training.config import config_as_mapping, config_from_mapping

CONFIG = {
    "name": "old",
    "data": {"labels": {1: "anterior"}, "folder": "", "split_file": "split.json", "spacing_mm": [1.0, 1.0, 1.0]},
    "patch_size": [32, 64, 32],
    "total_steps": 70,
    "batch_size": 2,
    "optimiser": {"learning_rate": 0.001, "warm_up_steps": 200},
    "validation": {"every_epochs": 8, "overlap": 0.0, "patience": 8},
}
PROGRESS = {"step": 40, "seconds": 9.5, "history": [], "best_dice": 0.7, "validations_without_better": 3}


def written(path, **changes):
    content = {"config": CONFIG, "progress": PROGRESS, "network": {}, "average": {"w": torch.ones(2)}, "optimiser": {}}
    torch.save(content | changes, path)
    return path


def test_a_checkpoint_of_the_first_version_computes_as_it_did(tmp_path):
    kept = load_checkpoint(written(tmp_path / "old.pt"))
    assert (kept.config.precision, kept.config.device) == ("fp32", "cpu")
    assert (kept.config.schedule.kind, kept.config.loss.kind) == ("cosine", "dice_ce")
    assert kept.config.early_stopping.patience == 8
    assert kept.config.optimiser.learning_rate == 0.001
    assert torch.equal(kept.average["w"], torch.ones(2))


def test_it_goes_on_where_it_was_and_remembers_how_long_nothing_was_better(tmp_path):
    progress = load_checkpoint(written(tmp_path / "old.pt")).progress
    assert (progress.step, progress.seconds, progress.best_dice) == (40, 9.5, 0.7)
    assert (progress.watch_best, progress.watch_since) == (0.7, 3)


def test_one_without_a_validation_yet_has_seen_nothing(tmp_path):
    young = PROGRESS | {"best_dice": -1.0, "validations_without_better": 0}
    assert load_checkpoint(written(tmp_path / "old.pt", progress=young)).progress.watch_best is None


def test_a_checkpoint_of_a_newer_version_is_refused_with_a_sentence(tmp_path):
    path = written(tmp_path / "new.pt", version=CHECKPOINT_VERSION + 1)
    with pytest.raises(InputError, match=r"new.pt' was written by a newer version of MedSegAI.*Update MedSegAI"):
        load_checkpoint(path)


def test_a_configuration_of_today_stays_as_it_is(a_config):
    today = config_as_mapping(a_config)
    assert upgraded_config(today) is today


def test_a_configuration_recorded_on_an_old_card_can_be_used_again():
    config = config_from_mapping(upgraded_config(CONFIG))
    assert (config.precision, config.early_stopping.patience, config.validation.every_epochs) == ("fp32", 8, 8)
