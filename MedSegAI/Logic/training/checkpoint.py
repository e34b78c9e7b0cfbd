"""The whole state of a run in one file, so that a stopped run goes on as if it had never stopped."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.training.checkpoint_versions import CHECKPOINT_VERSION, upgraded
from MedSegAI.Logic.training.config import (
    DistributedConfig,
    EarlyStoppingConfig,
    KeepingConfig,
    TrainingConfig,
    ValidationConfig,
    config_as_mapping,
    config_from_mapping,
)


@dataclass
class Progress:
    """How far a run is; everything but tensors that a checkpoint holds.

    Args:
        step: Steps done.
        seconds: Time spent, over all sessions of the run.
        history: One row an epoch, as in the CSV file.
        best_dice: Best mean Dice of a validation so far; -1 before the first.
        best_step: Steps done by then.
        best_scores: Dice of each label by its name at that validation, one mapping a case.
        cpu_seconds: Processor time spent, over all sessions and processes.
        epoch_losses: Losses of the steps of the epoch that is going on.
        epoch_seconds: Time spent on that epoch so far.
        watch_best, watch_since: What early stopping has seen.
    """

    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    best_dice: float = -1.0
    best_step: int = 0
    best_scores: list[dict[str, float]] = field(default_factory=list)
    cpu_seconds: float = 0.0
    epoch_losses: list[float] = field(default_factory=list)
    epoch_seconds: float = 0.0
    watch_best: float | None = None
    watch_since: int = 0


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint file holds.

    Args:
        config: The run's configuration.
        progress: How far it was.
        network: The trained weights by name.
        average: Their exponential moving average by name: the weights that are validated and shipped.
        optimiser: The optimiser's state.
        scaler: State of the loss's scale; empty but for float16.
    """

    config: TrainingConfig
    progress: Progress
    network: dict[str, Tensor]
    average: dict[str, Tensor]
    optimiser: dict[str, Any]
    scaler: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write the state of a run; an older file stays whole until the new one is complete.

    Raises:
        StorageError: if the file cannot be written.
    """
    content = {
        "version": CHECKPOINT_VERSION,
        "config": config_as_mapping(checkpoint.config),
        "progress": dict(vars(checkpoint.progress)),
        "network": checkpoint.network,
        "average": checkpoint.average,
        "optimiser": checkpoint.optimiser,
        "scaler": checkpoint.scaler,
    }
    with write_beside(path) as temporary:
        torch.save(content, temporary)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint without running any code in it.

    Raises:
        InputError: if it cannot be read or is not a training checkpoint.
    """
    try:
        if not zipfile.is_zipfile(path):
            raise pickle.UnpicklingError("not a zip archive")
        content = upgraded(torch.load(path, map_location="cpu", weights_only=True), source=f"'{path}'")
        return Checkpoint(
            config_from_mapping(content["config"], source=f"The configuration in '{path}'"),
            Progress(**content["progress"]),
            content["network"],
            content["average"],
            content["optimiser"],
            content["scaler"],
        )
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, AttributeError, pickle.UnpicklingError) as error:
        raise InputError(
            f"'{path}' is not a checkpoint of a training run.", advice="Remove it to start the run again."
        ) from error


def refuse_another_configuration(checkpoint: Checkpoint, config: TrainingConfig) -> None:
    """Refuse to go on with a run under a configuration that would learn something else.

    The length of the run, where it computes, the data's folder, how it is watched and what it leaves may change.

    Raises:
        InputError: naming the fields that differ.
    """
    mine, theirs = config_as_mapping(_fixed_part(config)), config_as_mapping(_fixed_part(checkpoint.config))
    differing = [key for key in mine if mine[key] != theirs[key]]
    if differing:
        raise InputError(
            f"The run in this folder was started with another configuration ({', '.join(differing)}).",
            advice="Choose another output folder, or go back to the old configuration.",
        )


def _fixed_part(config: TrainingConfig) -> TrainingConfig:
    return replace(
        config,
        data=replace(config.data, folder=""),
        total_steps=1,
        cpu_minutes=None,
        threads=1,
        device="auto",
        validation=ValidationConfig(),
        early_stopping=EarlyStoppingConfig(),
        keeping=KeepingConfig(),
        distributed=DistributedConfig(),
    )
