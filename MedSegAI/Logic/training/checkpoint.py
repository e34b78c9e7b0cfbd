"""The whole state of a run in one file, so that a stopped run goes on as if it had never stopped."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.training.config import TrainingConfig, config_as_mapping, config_from_mapping


@dataclass
class Progress:
    """How far a run is; everything but tensors that a checkpoint holds.

    Args:
        step: Steps done.
        seconds: Time spent, over all sessions of the run.
        history: One row an epoch, as in the CSV file.
        best_dice: Best mean Dice of a validation so far; -1 before the first.
        validations_without_better: Since then.
    """

    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    best_dice: float = -1.0
    validations_without_better: int = 0


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint file holds.

    Args:
        config: The run's configuration.
        progress: How far it was.
        network: The trained weights by name.
        average: Their exponential moving average by name: the weights that are validated and shipped.
        optimiser: The optimiser's state.
    """

    config: TrainingConfig
    progress: Progress
    network: dict[str, Tensor]
    average: dict[str, Tensor]
    optimiser: dict[str, Any]


def save_checkpoint(
    path: Path,
    config: TrainingConfig,
    *,
    progress: Progress,
    network: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
) -> None:
    """Write the state of a run; an older file stays whole until the new one is complete.

    Raises:
        StorageError: if the file cannot be written.
    """
    content = {
        "config": config_as_mapping(config),
        "progress": dict(vars(progress)),
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
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
        content = torch.load(path, map_location="cpu", weights_only=True)
        return Checkpoint(
            config_from_mapping(content["config"], source=f"The configuration in '{path}'"),
            Progress(**content["progress"]),
            content["network"],
            content["average"],
            content["optimiser"],
        )
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise InputError(
            f"'{path}' is not a checkpoint of a training run.", advice="Remove it to start the run again."
        ) from error


def restore(
    checkpoint: Checkpoint,
    config: TrainingConfig,
    *,
    network: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
) -> Progress:
    """Bring the parts of a run to the state of a checkpoint, which must come from the same configuration.

    The length of the run, its threads, the data's folder and how it is validated may change; nothing else may.

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
    network.load_state_dict(checkpoint.network)
    average.load_state_dict(checkpoint.average)
    optimiser.load_state_dict(checkpoint.optimiser)
    return checkpoint.progress


def _fixed_part(config: TrainingConfig) -> TrainingConfig:
    data = replace(config.data, folder="")
    return replace(config, data=data, total_steps=1, threads=1, validation=type(config.validation)())
