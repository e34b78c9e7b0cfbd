"""Labelled images in the Decathlon layout, held in memory and ready for the network."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_image, read_volume
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.training.config import DataConfig

if TYPE_CHECKING:
    import SimpleITK

_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")


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


@dataclass(frozen=True)
class Split:
    """Names of the cases to train on and of those to validate on; none in both."""

    train: tuple[str, ...]
    val: tuple[str, ...]


def data_folder(given: Path | None, *, name: str = "") -> Path:
    """The folder of the labelled images.

    Args:
        given: The folder itself; None takes the folder ``name`` inside the one that the environment variable
            MEDSEGAI_DATA names.
        name: Name of the data set's folder.

    Raises:
        InputError: if no folder was named, or it is not in the Decathlon layout.
    """
    root = os.environ.get("MEDSEGAI_DATA")
    if given is None and not root:
        raise InputError(
            "No data folder was named.", advice="Give it on the command line or set the variable MEDSEGAI_DATA."
        )
    folder = Path(given).expanduser() if given is not None else Path(root).expanduser() / name
    if not (folder / "imagesTr").is_dir() or not (folder / "labelsTr").is_dir():
        raise InputError(
            f"'{folder}' is not a data folder: it lacks imagesTr or labelsTr.",
            advice="Name a folder in the layout of the Medical Segmentation Decathlon.",
        )
    return folder


def read_split(path: Path) -> Split:
    """Read a JSON file with the lists "train" and "val"; other keys are ignored.

    Raises:
        InputError: if it is unreadable, a list is missing or empty, or a case is in both.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        split = Split(tuple(map(str, content["train"])), tuple(map(str, content["val"])))
    except OSError as error:
        raise InputError(f"The split '{path}' cannot be read: {error.strerror}.", advice="Check the path.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"The split '{path}' is not a JSON file with the lists 'train' and 'val'.", advice="Mend the file."
        ) from error
    both = sorted(set(split.train) & set(split.val))
    if both or not split.train or not split.val:
        problem = f"'{both[0]}' is both trained and validated on" if both else "a list is empty"
        raise InputError(f"The split '{path}' cannot be used: {problem}.", advice="Mend the file.")
    return split


def load_cases(folder: Path, names: Sequence[str], config: DataConfig) -> list[Case]:
    """Read, orient and normalise the named cases, in order.

    Raises:
        InputError: if a file is missing or unreadable, image and label do not lie on the same voxels, the spacing is
            not the configuration's, or a label value is unknown.
    """
    return [_load_case(Path(folder), name, config) for name in names]


def case_file(folder: Path, name: str) -> Path:
    """The image or label file of a case in ``folder``.

    Raises:
        InputError: if there is none.
    """
    for ending in _ENDINGS:
        if (folder / f"{name}{ending}").is_file():
            return folder / f"{name}{ending}"
    raise InputError(f"'{folder}' has no file for the case '{name}'.", advice="Check the split and the data folder.")


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
