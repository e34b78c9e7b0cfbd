"""Everything a training run depends on, read from one YAML file and checked before the first step.

Each table of the file is a dataclass of its own in ``config_tables``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from MedSegAI.Logic.settings import DeviceChoice
from MedSegAI.Logic.training.config_fields import mapping_from_table, named_table, read_table
from MedSegAI.Logic.training.config_tables.augmentation import AugmentationConfig
from MedSegAI.Logic.training.config_tables.check import need, need_one_of
from MedSegAI.Logic.training.config_tables.data_kinds import DataKind
from MedSegAI.Logic.training.config_tables.decathlon import DataConfig
from MedSegAI.Logic.training.config_tables.distil import DistilConfig
from MedSegAI.Logic.training.config_tables.distributed import DistributedConfig
from MedSegAI.Logic.training.config_tables.early_stopping import EarlyStoppingConfig
from MedSegAI.Logic.training.config_tables.keeping import KeepingConfig
from MedSegAI.Logic.training.config_tables.loss import LossConfig
from MedSegAI.Logic.training.config_tables.network import NetworkConfig
from MedSegAI.Logic.training.config_tables.optimiser import OptimiserConfig
from MedSegAI.Logic.training.config_tables.schedule import ScheduleConfig
from MedSegAI.Logic.training.config_tables.validation import ValidationConfig

__all__ = [
    "AugmentationConfig",
    "DataConfig",
    "DataKind",
    "DistilConfig",
    "DistributedConfig",
    "EarlyStoppingConfig",
    "KeepingConfig",
    "LossConfig",
    "NetworkConfig",
    "OptimiserConfig",
    "ScheduleConfig",
    "TrainingConfig",
    "ValidationConfig",
    "config_as_mapping",
    "config_from_mapping",
    "read_config",
]
Precision = Literal["bf16-mixed", "fp32", "fp16-mixed"]


@dataclass(frozen=True)
class TrainingConfig:
    """One run. Two runs with equal configurations on one machine end with equal weights.

    Args:
        name: What the run, its folder and its report are called.
        data: What is learned from; ``kind`` tells which fields the table has.
        patch_size: Patch (k, j, i) in voxels; the network sees no more at once.
        total_steps: Steps of the whole run. Either this or ``cpu_minutes``, or both: the run ends with the first of
            them.
        cpu_minutes: Processor time of the whole run in minutes, validation counted, over all sessions and processes.
            For comparisons at equal cost; what is left of it depends on the machine, so such a run cannot be repeated
            to the last bit.
        batch_size: Patches a step, over all processes. 2: steps come quickly, and memory stays small.
        foreground_fraction: How often a patch is centred on a labelled voxel instead of anywhere in the image. 0.8:
            most of an image is background, and a network that sees only that learns nothing.
        dice_background: "included" or "excluded": whether the background counts in the Dice part of the loss.
            "excluded": its Dice is near 1 from the start.
        precision: "bf16-mixed" computes products and, on GPUs, convolutions in bfloat16 and keeps weights, loss and
            optimiser in float32: made for GPUs, without a scale to watch; the default for that. "fp32" is quicker on
            CPUs without AMX. "fp16-mixed" is for GPUs older than bfloat16; it scales the loss.
        device: "cpu", "cuda", or "auto", which takes the GPU where one works.
        seed: Seed of everything random. 1; another gives another run of the same kind.
        threads: torch threads. 1: other numbers round differently, and so end with other weights.
        initial_weights: A checkpoint (.pt) or safetensors file to start from, relative to the working folder: the
            tensors whose name and shape fit are taken. Empty: random weights.
        network: What is trained.
        augmentation: How training images are varied.
        loss: What is made small.
        optimiser: How the weights learn.
        schedule: How the learning rate falls.
        validation: How the run is watched.
        early_stopping: When the run ends because it no longer gets better.
        keeping: What the run leaves.
        distributed: How several processes train together.
        distil: Teachers to learn from beside the labels. null: none.
    """

    name: str
    data: DataKind
    patch_size: tuple[int, int, int]
    total_steps: int | None = None
    cpu_minutes: float | None = None
    batch_size: int = 2
    foreground_fraction: float = 0.8
    dice_background: Literal["included", "excluded"] = "excluded"
    precision: Precision = "bf16-mixed"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: int = 1
    threads: int = 1
    initial_weights: str = ""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    early_stopping: EarlyStoppingConfig = field(default_factory=EarlyStoppingConfig)
    keeping: KeepingConfig = field(default_factory=KeepingConfig)
    distributed: DistributedConfig = field(default_factory=DistributedConfig)
    distil: DistilConfig | None = None

    def __post_init__(self) -> None:
        need(min(self.patch_size) > 0, f"patch_size is {self.patch_size}", "give three positive numbers of voxels")
        need(
            self.total_steps is not None or self.cpu_minutes is not None,
            "neither total_steps nor cpu_minutes is given, so the run would never end",
            "give at least one of them",
        )
        need(self.total_steps is None or self.total_steps >= 1, f"total_steps is {self.total_steps}", "give 1 or more")
        need(self.cpu_minutes is None or self.cpu_minutes > 0, f"cpu_minutes is {self.cpu_minutes}", "give more than 0")
        need(self.batch_size >= 1, f"batch_size is {self.batch_size}", "give 1 or more patches")
        need(
            0 <= self.foreground_fraction <= 1,
            f"foreground_fraction is {self.foreground_fraction}",
            "give a number from 0 to 1",
        )
        need_one_of(self.dice_background, ("included", "excluded"), "dice_background")
        need_one_of(self.precision, get_args(Precision), "precision")
        need_one_of(self.device, tuple(choice.value for choice in DeviceChoice), "device")
        need(self.threads >= 1, f"threads is {self.threads}", "give 1 or more threads")
        outputs = self.network.arguments.get("out_channels", self.class_count)
        need(
            outputs == self.class_count,
            f"network.arguments.out_channels is {outputs}, but labels and background are {self.class_count} classes",
            f"write {self.class_count}",
        )

    @property
    def class_count(self) -> int:
        """Output channels of the network, background included."""
        return len(self.data.labels) + 1


def read_config(path: Path) -> TrainingConfig:
    """Read and check a YAML configuration.

    Raises:
        InputError: if the file is missing, is not YAML, or a field is unknown, missing or out of range.
    """
    return read_table(path, TrainingConfig)


def config_from_mapping(content: object, *, source: str = "the configuration") -> TrainingConfig:
    """Check nested dictionaries, as YAML or a checkpoint holds them, into a configuration.

    Raises:
        InputError: as :func:`read_config`.
    """
    return named_table(content, TrainingConfig, source=source)


def config_as_mapping(config: TrainingConfig) -> dict[str, Any]:
    """The configuration as plain nested dictionaries and lists; :func:`config_from_mapping` reads them back."""
    return mapping_from_table(config)
