"""Labelled images held in memory, ready for the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.decathlon import read_case
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.standardise.resample import canonical_grid, resample, resample_labels
from MedSegAI.Logic.training.config import DataConfig
from MedSegAI.Logic.volume import Volume


@dataclass(frozen=True, eq=False)
class Case:
    """One labelled image in model space.

    Args:
        name: Its file name without ending.
        image: Normalised voxels (k, j, i) float32; axes run i to Right, j to Anterior, k to Superior.
        label: Label values (k, j, i) uint8, voxel by voxel the image.
        foreground: Positions (n, 3) int16 as (k, j, i) of the labelled voxels.
    """

    name: str
    image: np.ndarray
    label: np.ndarray
    foreground: np.ndarray


def load_cases(folder: Path, names: Sequence[str], config: DataConfig) -> list[Case]:
    """Read the named cases, in order, bring them to model space and normalise them.

    Raises:
        InputError: if a file is missing or unreadable, image and label do not lie on the same voxels, or a label value
            is unknown.
    """
    return [_load_case(Path(folder), name, config) for name in names]


def _load_case(folder: Path, name: str, config: DataConfig) -> Case:
    volume, labels = read_case(folder, name)
    label = _known_labels(labels, config)
    grid = canonical_grid(volume.grid, spacing_mm=config.spacing_mm)
    image = normalise(resample(volume, grid).array, config.normalisation)
    values = np.ascontiguousarray(resample_labels(label, grid).array)
    return Case(name, image, values, np.argwhere(values).astype(np.int16))


def _known_labels(label: Volume, config: DataConfig) -> Volume:
    unknown = sorted(set(np.unique(label.array).tolist()) - {0, *config.labels})
    if unknown:
        raise InputError(
            f"The label of '{label.name}' holds the value {unknown[0]:g}, which the configuration does not name.",
            advice="Add it to data.labels, or mend the file.",
        )
    return label.with_array(label.array.astype(np.uint8))
