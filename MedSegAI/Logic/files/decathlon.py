"""Labelled images in the layout of the Medical Segmentation Decathlon, and the file that splits them.

A data folder holds ``imagesTr`` and ``labelsTr`` with one file a case, of equal names. A split is a JSON file with
lists of case names, such as {"train": [...], "val": [...]}; other keys are ignored.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_image, read_volume
from MedSegAI.Logic.volume import Modality, Volume

_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")
_SAME_GRID_MM = 0.01


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
    """The lists "train" and "val" of a split.

    Raises:
        InputError: as :func:`read_subset`, or if a case is in both.
    """
    split = Split(read_subset(path, "train"), read_subset(path, "val"))
    both = sorted(set(split.train) & set(split.val))
    if both:
        raise InputError(
            f"The split '{path}' cannot be used: '{both[0]}' is both trained and validated on.", advice="Mend the file."
        )
    return split


def read_subset(path: Path, subset: str) -> tuple[str, ...]:
    """The case names that a split lists under ``subset``.

    Raises:
        InputError: if the file is missing or not JSON, or the list is missing or empty.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The split '{path}' cannot be read: {error.strerror}.", advice="Check the path.") from error
    except ValueError as error:
        raise InputError(f"The split '{path}' is not a JSON file.", advice="Mend the file.") from error
    names = content.get(subset) if isinstance(content, dict) else None
    if not isinstance(names, list) or not names:
        lists = [key for key, value in content.items() if isinstance(value, list)] if isinstance(content, dict) else []
        raise InputError(
            f"The split '{path}' has no list of cases '{subset}'.", advice=f"It has: {', '.join(lists) or 'none'}."
        )
    return tuple(map(str, names))


def read_case(folder: Path, name: str, *, modality: Modality | None = None) -> tuple[Volume, Volume]:
    """The image of a case and its expert labels, voxel by voxel on one grid.

    Args:
        folder: The data folder.
        name: The case.
        modality: What was measured, as for ``read_volume``.

    Returns:
        The image and the label map, each (k, j, i) in its file's dtype; LPS mm.

    Raises:
        InputError: if a file is missing or unreadable, or the two lie on different grids.
    """
    image = read_volume(case_file(folder / "imagesTr", name), modality=modality)
    labels = Volume.from_sitk(read_image(case_file(folder / "labelsTr", name)), name=name)
    if not image.grid.same_frame(labels.grid, tolerance_mm=_SAME_GRID_MM):
        raise InputError(
            f"Image and label of '{name}' do not lie on the same grid.", advice="Resample the label to the image."
        )
    return image, labels


def case_file(folder: Path, name: str) -> Path:
    """The image or label file of a case in ``folder``.

    Raises:
        InputError: if there is none.
    """
    for ending in _ENDINGS:
        if (folder / f"{name}{ending}").is_file():
            return folder / f"{name}{ending}"
    raise InputError(f"'{folder}' has no file for the case '{name}'.", advice="Check the split and the data folder.")
