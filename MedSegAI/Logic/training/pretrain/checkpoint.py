"""The whole state of a pretraining run in one file, and the weights alone in another."""

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
from MedSegAI.Logic.training.pretrain.config import (
    PretrainingConfig,
    pretraining_config_as_mapping,
    pretraining_config_from_mapping,
)


@dataclass
class Progress:
    """How far a run is.

    Args:
        step: Steps done; the position in the order of scans follows from it.
        seconds: Time spent, over all sessions of the run.
        cpu_seconds: Processor time spent, likewise.
        history: The rows of the table.
    """

    step: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


def save_state(
    path: Path,
    config: PretrainingConfig,
    *,
    progress: Progress,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
) -> None:
    """Write the state of a run; an older file stays whole until the new one is complete.

    Raises:
        StorageError: if the file cannot be written.
    """
    content = {
        "pretraining_config": pretraining_config_as_mapping(config),
        "progress": dict(vars(progress)),
        "network_with_heads": network.state_dict(),
        "optimiser": optimiser.state_dict(),
    }
    with write_beside(path) as temporary:
        torch.save(content, temporary)


def restore_state(
    path: Path, config: PretrainingConfig, *, network: nn.Module, optimiser: torch.optim.Optimizer
) -> Progress:
    """Bring the parts of a run to the state in a file, without running any code in it.

    The length of the run, its threads, the folder of the scans and the cache may differ from then; nothing else may.

    Raises:
        InputError: if it is no state of a pretraining run, or one of another configuration.
    """
    then, progress, content = _read(path)
    _refuse_another(config, then)
    try:
        network.load_state_dict(content["network_with_heads"])
        optimiser.load_state_dict(content["optimiser"])
    except (RuntimeError, LookupError, ValueError) as error:
        raise _not_a_state(path) from error
    return progress


def read_history(path: Path) -> list[dict[str, Any]]:
    """The rows of the table that a state holds.

    Raises:
        InputError: if it is no state of a pretraining run.
    """
    return _read(path)[1].history


def save_weights(path: Path, state: dict[str, Tensor]) -> None:
    """Write weights as safetensors (float32), to be named as ``initial_weights`` of a training run.

    Raises:
        StorageError: if the file cannot be written.
    """
    from safetensors.torch import save_file

    with write_beside(path) as temporary:
        save_file({key: value.detach().cpu().contiguous() for key, value in state.items()}, str(temporary))
        # safetensors lets nobody else read its file.
        temporary.chmod(0o644)


def _read(path: Path) -> tuple[PretrainingConfig, Progress, dict[str, Any]]:
    try:
        if not zipfile.is_zipfile(path):
            raise pickle.UnpicklingError("not a zip archive")
        content = torch.load(path, map_location="cpu", weights_only=True)
        config = pretraining_config_from_mapping(content["pretraining_config"], source=f"The configuration in '{path}'")
        return config, Progress(**content["progress"]), content
    except (OSError, RuntimeError, EOFError, LookupError, TypeError, pickle.UnpicklingError) as error:
        raise _not_a_state(path) from error


def _not_a_state(path: Path) -> InputError:
    return InputError(f"'{path}' is not the state of a pretraining run.", advice="Remove it to start the run again.")


def _refuse_another(config: PretrainingConfig, then: PretrainingConfig) -> None:
    mine, theirs = (pretraining_config_as_mapping(_fixed_part(one)) for one in (config, then))
    differing = [key for key in mine if mine[key] != theirs[key]]
    if differing:
        raise InputError(
            f"The run in this folder was started with another configuration ({', '.join(differing)}).",
            advice="Choose another output folder, or go back to the old configuration.",
        )


def _fixed_part(config: PretrainingConfig) -> PretrainingConfig:
    data = replace(config.data, folder="", cache_mib=1)
    return replace(config, data=data, total_steps=1, cpu_minutes=None, checkpoint_steps=1, threads=1)
