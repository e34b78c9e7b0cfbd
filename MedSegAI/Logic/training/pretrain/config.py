"""Everything a pretraining run depends on, read from one YAML file and checked before the first step."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.training.config_fields import mapping_from_table, named_table, read_table
from MedSegAI.Logic.training.config_tables.augmentation import AugmentationConfig
from MedSegAI.Logic.training.config_tables.check import need, need_one_of
from MedSegAI.Logic.training.config_tables.network import NetworkConfig
from MedSegAI.Logic.training.config_tables.optimiser import OptimiserConfig
from MedSegAI.Logic.training.pretrain.turns import plane_of_turns


class ReconstructThrough(str, Enum):
    """What turns the deepest features back into voxels."""

    ENCODER = "encoder"
    """A small head that is thrown away: only the encoder learns, as in Tang et al. 2022."""
    DECODER = "decoder"
    """The network's own decoder, which learns as well."""


@dataclass(frozen=True)
class ScansConfig:
    """Which scans are looked at, how they are prepared, and how much memory they may take.

    Args:
        folder: Path of the folder of scans below the one that MEDSEGAI_DATA names; searched through all its folders.
        split_file: JSON file with a list ``split_list`` of names: only these scans are looked at. Relative to the
            folder of scans. Empty: all.
        split_list: Name of that list.
        normalisation: Rule of ``Logic/standardise/intensity.py``, as the supervised training will have it.
        spacing_mm: Spacing (i, j, k) of the model's space; null keeps each scan's own.
        cache_mib: Memory for scans that were opened lately. A scan of more than a quarter of it is read in parts.
        patches_per_scan: Samples in a row from one scan. More than 1 spares reading where scans are large.
    """

    folder: str = ""
    split_file: str = ""
    split_list: str = "train"
    normalisation: Normalisation = field(default_factory=lambda: Normalisation("z_score", (0.5, 99.5)))
    spacing_mm: tuple[float, float, float] | None = (1.0, 1.0, 1.0)
    cache_mib: int = 1024
    patches_per_scan: int = 1

    def __post_init__(self) -> None:
        if self.spacing_mm is not None:
            need(min(self.spacing_mm) > 0, f"data.spacing_mm is {self.spacing_mm}", "give three positive numbers")
        need(self.cache_mib >= 1, f"data.cache_mib is {self.cache_mib}", "give 1 or more MiB")
        need(self.patches_per_scan >= 1, f"data.patches_per_scan is {self.patches_per_scan}", "give 1 or more patches")


@dataclass(frozen=True)
class TasksConfig:
    """How much each task counts in the sum of the losses; 0 leaves it out.

    Args:
        reconstruction: Of the mean absolute difference over hidden voxels.
        rotation: Of the cross-entropy over four quarter turns.
        contrastive: Of InfoNCE between the two views of each sample.
        temperature: Of InfoNCE.
    """

    reconstruction: float = 1.0
    rotation: float = 1.0
    contrastive: float = 1.0
    temperature: float = 0.5

    def __post_init__(self) -> None:
        weights = {name: getattr(self, name) for name in ("reconstruction", "rotation", "contrastive")}
        for name, weight in weights.items():
            need(weight >= 0, f"tasks.{name} is {weight}", "give 0 or a positive number")
        need(any(weights.values()), "All weights in tasks are 0", "give at least one task a positive weight")
        need(self.temperature > 0, f"tasks.temperature is {self.temperature}", "give a positive number")

    @property
    def views_per_sample(self) -> int:
        """Two where views are told from one another, else one."""
        return 2 if self.contrastive else 1


@dataclass(frozen=True)
class MaskingConfig:
    """What is hidden from the network.

    Args:
        fraction: Share of the blocks of a patch.
        block_voxels: Size (k, j, i) of a block.
    """

    fraction: float = 0.4
    block_voxels: tuple[int, int, int] = (8, 8, 8)

    def __post_init__(self) -> None:
        need(0 < self.fraction < 1, f"masking.fraction is {self.fraction}", "give a number between 0 and 1")
        need(min(self.block_voxels) >= 1, f"masking.block_voxels is {self.block_voxels}", "give three positive numbers")


@dataclass(frozen=True)
class PretrainingConfig:
    """One run. Two runs of equal configurations and steps on one machine end with equal weights.

    Args:
        patch_size: Patch (k, j, i) in voxels; a scan that is smaller is padded.
        total_steps: Steps of the whole run. Either this or ``cpu_minutes``, or both: the run ends with the first of
            them, and the learning rate follows whichever is nearer to its end.
        cpu_minutes: Processor time of the whole run in minutes, over all sessions. What is left of it depends on the
            machine, so such a run cannot be repeated to the last bit.
        batch_size: Samples a step; with contrast each is shown as two views.
        checkpoint_steps: Steps between two checkpoints, each with a row of the table.
        seed: Seed of everything random.
        threads: torch threads.
        reconstruct_through: "encoder" or "decoder", see :class:`ReconstructThrough`.
    """

    name: str
    patch_size: tuple[int, int, int]
    total_steps: int | None = None
    cpu_minutes: float | None = None
    batch_size: int = 2
    checkpoint_steps: int = 50
    seed: int = 1
    threads: int = 1
    reconstruct_through: str = ReconstructThrough.DECODER.value
    data: ScansConfig = field(default_factory=ScansConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    tasks: TasksConfig = field(default_factory=TasksConfig)
    masking: MaskingConfig = field(default_factory=MaskingConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)

    def __post_init__(self) -> None:
        need(min(self.patch_size) > 0, f"patch_size is {self.patch_size}", "give three positive numbers of voxels")
        need(
            self.total_steps is not None or self.cpu_minutes is not None,
            "neither total_steps nor cpu_minutes is given, so the run would never end",
            "give at least one of them",
        )
        need(self.total_steps is None or self.total_steps >= 1, f"total_steps is {self.total_steps}", "give 1 or more")
        need(self.cpu_minutes is None or self.cpu_minutes > 0, f"cpu_minutes is {self.cpu_minutes}", "give more than 0")
        for name in ("batch_size", "checkpoint_steps", "threads"):
            need(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}", "give 1 or more")
        need_one_of(self.reconstruct_through, tuple(way.value for way in ReconstructThrough), "reconstruct_through")
        need(
            not self.tasks.contrastive or self.batch_size >= 2,
            "batch_size is 1, so there is no other sample to tell a view from",
            "give a batch_size of 2 or more, or set tasks.contrastive to 0",
        )
        need(
            not self.tasks.rotation or plane_of_turns(self.patch_size) is not None,
            f"patch_size {self.patch_size} has no two equal sides, so it cannot be turned by a quarter",
            "make two sides equal, or set tasks.rotation to 0",
        )


def read_pretraining_config(path: Path) -> PretrainingConfig:
    """Read and check a YAML configuration.

    Raises:
        InputError: if the file is missing, is not YAML, or a field is unknown, missing or out of range.
    """
    return read_table(path, PretrainingConfig)


def pretraining_config_from_mapping(content: object, *, source: str = "the configuration") -> PretrainingConfig:
    """Check nested dictionaries, as YAML or a checkpoint holds them, into a configuration.

    Raises:
        InputError: as :func:`read_pretraining_config`.
    """
    return named_table(content, PretrainingConfig, source=source)


def pretraining_config_as_mapping(config: PretrainingConfig) -> dict[str, Any]:
    """The configuration as plain nested dictionaries and lists."""
    return mapping_from_table(config)
