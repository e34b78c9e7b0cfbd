"""Labelled images held in memory, ready for the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_image, read_volume
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.training.config import DataConfig
from MedSegAI.Logic.training.decathlon import case_file

if TYPE_CHECKING:
    import SimpleITK


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
    """Read, orient and normalise the named cases, in order.

    Raises:
        InputError: if a file is missing or unreadable, image and label do not lie on the same voxels, the spacing is
            not the configuration's, or a label value is unknown.
    """
    return [_load_case(Path(folder), name, config) for name in names]


def _load_case(folder: Path, name: str, config: DataConfig) -> Case:
    image, spacing = _in_model_axes(read_volume(case_file(folder / "imagesTr", name)).to_sitk())
    label, _ = _in_model_axes(read_image(case_file(folder / "labelsTr", name)))
    if image.shape != label.shape:
        raise InputError(
            f"Image and label of '{name}' differ in shape: {image.shape} and {label.shape}.",
            advice="Resample the label to the image.",
        )
    if not np.allclose(spacing, config.spacing_mm, rtol=0.01):
        raise InputError(
            f"'{name}' has a spacing of {spacing} mm, the configuration says {config.spacing_mm} mm.",
            advice="Resample the data set first, or change data.spacing_mm.",
        )
    unknown = sorted(set(np.unique(label).tolist()) - {0, *config.labels})
    if unknown:
        raise InputError(
            f"The label of '{name}' holds the value {unknown[0]:g}, which the configuration does not name.",
            advice="Add it to data.labels, or mend the file.",
        )
    label = label.astype(np.uint8)
    foreground = np.argwhere(label).astype(np.int16)
    return Case(name, normalise(image, config.normalisation), label, foreground)


def _in_model_axes(image: SimpleITK.Image) -> tuple[np.ndarray, tuple[float, ...]]:
    import SimpleITK as sitk

    # SimpleITK names the directions that the axes run to: index i to Right, j to Anterior, k to Superior.
    oriented = sitk.DICOMOrient(image, "RAS")
    return sitk.GetArrayFromImage(oriented), oriented.GetSpacing()
