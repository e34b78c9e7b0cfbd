"""Training and validation set of whatever kind of data a configuration names."""

from __future__ import annotations

import importlib
from pathlib import Path

from MedSegAI.Logic.training.config import TrainingConfig
from MedSegAI.Logic.training.training_set import TrainingSet, ValidationSet

# Kind of data -> module with a function of the same signature as ``open_sets`` here.
OPENING_MODULES = {
    "decathlon": "MedSegAI.Logic.training.decathlon_set",
    "nodules": "MedSegAI.Logic.training.nodules.opening",
}


def open_sets(config: TrainingConfig, data_folder: Path | None) -> tuple[TrainingSet, ValidationSet]:
    """What a run learns from and what it is watched with.

    Args:
        config: Whose ``data.kind`` decides who opens the folder.
        data_folder: The folder of the data itself; None: ``config.data.folder`` inside what MEDSEGAI_DATA names.

    Raises:
        InputError: if the data cannot be used.
    """
    module = importlib.import_module(OPENING_MODULES[config.data.kind])
    return module.open_sets(config, data_folder)


def with_teachers(learned: TrainingSet, config: TrainingConfig) -> TrainingSet:
    """The same samples with the teachers' answers mixed into their targets, where the configuration names teachers.

    Raises:
        InputError: if a teacher cannot be used.
    """
    if config.distil is None:
        return learned
    distil = importlib.import_module("MedSegAI.Logic.training.distil")
    return distil.with_teachers(learned, config)
