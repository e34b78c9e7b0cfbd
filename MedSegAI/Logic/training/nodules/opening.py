"""The training and the validation set of a run on nodules."""

from __future__ import annotations

import os
from pathlib import Path

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.config import TrainingConfig
from MedSegAI.Logic.training.nodules.case import NoduleCase, Source
from MedSegAI.Logic.training.nodules.config import NoduleDataConfig
from MedSegAI.Logic.training.nodules.nodule_set import NoduleTrainingSet
from MedSegAI.Logic.training.nodules.read_cubes import read_cubes
from MedSegAI.Logic.training.nodules.read_slices import read_slices
from MedSegAI.Logic.training.nodules.validation_set import NoduleValidationSet

_WATCHED_OF_SLICES = 5
"""While training every fifth nodule of the slices set is watched, beside all cubes; the table takes all of them."""

VALIDATION_SIDE = 64
"""Runs on flatter windows are watched in the cube that a click is given, too."""


def read_nodules(folder: Path, data: NoduleDataConfig, *, subset: str) -> list[NoduleCase]:
    """The nodules of both sets, cubes first.

    Args:
        folder: Holds the folders of both sets.
        data: Names them.
        subset: "train" or "val".

    Raises:
        InputError: if a set is missing.
    """
    cubes = read_cubes(folder / data.cubes_folder, subset=subset) if data.cubes_folder else []
    if not data.slices_folder:
        return cubes
    return cubes + read_slices(folder / data.slices_folder, subset=subset, spacing_mm=data.spacing_mm)


def open_sets(config: TrainingConfig, data_folder: Path | None) -> tuple[NoduleTrainingSet, NoduleValidationSet]:
    """What a run on nodules learns from and what it is watched with.

    Args:
        config: Its ``data`` is of kind "nodules".
        data_folder: Holds the folders of both sets; None: ``config.data.folder`` inside what MEDSEGAI_DATA names.

    Raises:
        InputError: if no folder was named, or a set is missing.
    """
    data, shape = config.data, config.patch_size
    folder = _root(data_folder, data)
    trained, validated = (read_nodules(folder, data, subset=subset) for subset in ("train", "val"))
    cubes = [case for case in validated if case.source is Source.CUBES]
    watched = cubes + validated[len(cubes) :: _WATCHED_OF_SLICES]
    learned = NoduleTrainingSet(trained, data, augmentation=config.augmentation, shape=shape)
    return learned, NoduleValidationSet(watched, data, window=tuple(max(VALIDATION_SIDE, side) for side in shape))


def _root(given: Path | None, data: NoduleDataConfig) -> Path:
    root = os.environ.get("MEDSEGAI_DATA")
    if given is None and not root:
        raise InputError(
            "No data folder was named.", advice="Give it on the command line or set the variable MEDSEGAI_DATA."
        )
    return Path(given).expanduser() if given is not None else Path(root).expanduser() / data.folder
