"""Everything a training run depends on, read from one YAML file and checked before the first step.

Each table of the file is a dataclass of its own in ``config_tables``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.config_fields import mapping_from_table, table_from_mapping
from MedSegAI.Logic.training.config_tables.augmentation import AugmentationConfig
from MedSegAI.Logic.training.config_tables.check import need, need_one_of
from MedSegAI.Logic.training.config_tables.data_kinds import DataKind
from MedSegAI.Logic.training.config_tables.decathlon import DataConfig
from MedSegAI.Logic.training.config_tables.distil import DistilConfig
from MedSegAI.Logic.training.config_tables.network import NetworkConfig
from MedSegAI.Logic.training.config_tables.optimiser import OptimiserConfig
from MedSegAI.Logic.training.config_tables.validation import ValidationConfig

__all__ = [
    "AugmentationConfig",
    "DataConfig",
    "DataKind",
    "DistilConfig",
    "NetworkConfig",
    "OptimiserConfig",
    "TrainingConfig",
    "ValidationConfig",
    "config_as_mapping",
    "config_from_mapping",
    "read_config",
]


@dataclass(frozen=True)
class TrainingConfig:
    """One run. Two runs with equal configurations on one machine end with equal weights.

    Args:
        patch_size: Patch (k, j, i) in voxels.
        batch_size: Patches a step.
        total_steps: Steps of the whole run; the learning-rate schedule spans them.
        foreground_fraction: How often a patch is centred on a labelled voxel instead of anywhere in the image.
        dice_background: "included" or "excluded": whether the background counts in the Dice part of the loss.
        seed: Seed of everything random.
        threads: torch threads.
        initial_weights: A checkpoint (.pt) or safetensors file to start from, relative to the working folder: the
            tensors whose name and shape fit are taken. Empty: random weights.
        distil: Teachers to learn from beside the labels; None: none.
    """

    name: str
    data: DataKind
    patch_size: tuple[int, int, int]
    total_steps: int
    batch_size: int = 2
    foreground_fraction: float = 0.8
    dice_background: str = "excluded"
    seed: int = 1
    threads: int = 1
    initial_weights: str = ""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    distil: DistilConfig | None = None

    def __post_init__(self) -> None:
        need(min(self.patch_size) > 0, f"patch_size is {self.patch_size}", "give three positive numbers of voxels")
        need(self.total_steps >= 1, f"total_steps is {self.total_steps}", "give 1 or more steps")
        need(self.batch_size >= 1, f"batch_size is {self.batch_size}", "give 1 or more patches")
        need(
            0 <= self.foreground_fraction <= 1,
            f"foreground_fraction is {self.foreground_fraction}",
            "give a number from 0 to 1",
        )
        need_one_of(self.dice_background, ("included", "excluded"), "dice_background")
        need(self.threads >= 1, f"threads is {self.threads}", "give 1 or more threads")

    @property
    def class_count(self) -> int:
        """Output channels of the network, background included."""
        return len(self.data.labels) + 1


def read_config(path: Path) -> TrainingConfig:
    """Read and check a YAML configuration.

    Raises:
        InputError: if the file is missing, is not YAML, or a field is unknown, missing or out of range.
    """
    import yaml

    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}.", advice="Check the path.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise InputError(f"'{path}' is not valid YAML: {reason}.", advice="Mend the file.") from error
    return config_from_mapping(content, source=f"'{path}'")


def config_from_mapping(content: object, *, source: str = "the configuration") -> TrainingConfig:
    """Check nested dictionaries, as YAML or a checkpoint holds them, into a configuration.

    Raises:
        InputError: as :func:`read_config`.
    """
    try:
        return table_from_mapping(TrainingConfig, content, "")
    except InputError as error:
        raise InputError(f"{source} cannot be used: {error.problem}", advice=error.advice) from error


def config_as_mapping(config: TrainingConfig) -> dict[str, Any]:
    """The configuration as plain nested dictionaries and lists; :func:`config_from_mapping` reads them back."""
    return mapping_from_table(config)
