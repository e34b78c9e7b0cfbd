"""Reviewed cases as a data set to fine-tune a model on: what the network sees of each scan, and what it should say.

Each region that the model looks at becomes one labelled image in the Decathlon layout, in the network's own space and
with its own label values; a mirrored region is stored mirrored. Beside them lies a configuration to start from.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError, LabelError, ModelError, RegionError
from MedSegAI.Logic.files.new_folder import new_folder
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.write import write_segmentation, write_volume
from MedSegAI.Logic.inference.regions import choose_regions
from MedSegAI.Logic.inference.scans import scans_for
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.recalibrate.reference_labels import ReferenceLabels
from MedSegAI.Logic.recalibrate.reviewed_cases import ReviewedCase
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.standardise.resample import resample
from MedSegAI.Logic.training.checkpoint_versions import upgraded_config
from MedSegAI.Logic.volume import Volume

CONFIGURATION_NAME = "fine-tune.yaml"
SPLIT_NAME = "split.json"
_EVERY = 5
_RATE_SHARE = 0.1
_EPOCHS = 60


def write_fine_tuning_set(
    model: Model, cases: Sequence[ReviewedCase], folder: Path, *, settings: RunSettings, reporter: Reporter
) -> dict[str, Any]:
    """Write the data set and its configuration, whole or not at all.

    Every fifth case, in the order of the reviews, is kept for validation. The configuration is that of the model's own
    training with a tenth of its learning rate, 60 passes through the cases, and the model's weights to start from.

    Args:
        model: The model to fine-tune; its card must hold the configuration that it was trained with.
        cases: The reviewed cases; one that the model finds no region in is told and left out.
        folder: The folder to make.
        settings: How the model's regions are found.
        reporter: Is told of each case, and asked whether to stop.

    Returns:
        The configuration.

    Raises:
        ModelError: if the card does not say how the model was trained, or it takes several scans.
        StorageError: if the folder exists or cannot be written.
        Cancelled: if the reporter says so; nothing is left.
    """
    trained = training_configuration(model)
    with new_folder(folder) as room:
        for part in ("imagesTr", "labelsTr"):
            (room / part).mkdir()
        written = 0
        names: dict[str, list[str]] = {"train": [], "val": []}
        for done, case in enumerate(cases):
            raise_if_cancelled(reporter)
            reporter.progress(done, len(cases), "exporting")
            subset = "val" if written % _EVERY == _EVERY - 1 else "train"
            try:
                names[subset] += _write_case(case, model, room, settings)
                written += 1
            except (InputError, LabelError, RegionError) as error:
                reporter.message(f"{case.name} is left out: {error.problem}")
        reporter.progress(len(cases), len(cases), "exporting")
        (room / SPLIT_NAME).write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8")
        configuration = _fine_tuning(trained, model, steps=_steps(trained, len(names["train"])))
        _write_yaml(room / CONFIGURATION_NAME, configuration)
    return configuration


def training_configuration(model: Model) -> dict[str, Any]:
    """The configuration that a model was trained with, which fine-tuning starts from; worth asking before long work.

    Raises:
        ModelError: if the card does not say how the model was trained, or it takes several scans.
    """
    configuration = model.card.training.get("configuration")
    if not isinstance(configuration, dict):
        raise ModelError(
            f"The card of '{model.card.name}' does not say how it was trained.",
            advice="Write a configuration yourself; see docs/training.md.",
        )
    if len(model.card.inputs) != 1:
        raise ModelError(
            f"'{model.card.name}' takes {len(model.card.inputs)} scans; fine-tuning is prepared for one.",
            advice="Write the data set and a configuration yourself; see docs/training.md.",
        )
    return upgraded_config(configuration)


def _write_case(case: ReviewedCase, model: Model, room: Path, settings: RunSettings) -> list[str]:
    volume = read_volume(case.scan)
    scans = scans_for(volume, model.card)
    chosen = choose_regions(scans, model.card, settings=settings, reporter=SilentReporter())
    reference = ReferenceLabels(case.reference(), model)
    names = []
    for region in chosen.regions:
        image = region.orient(resample(volume, region.grid).array)
        truth = reference.in_region(region)
        name = case.name if len(chosen.regions) == 1 else f"{case.name}-{region.name.replace(' ', '-')}"
        stored = Volume(np.ascontiguousarray(image), region.grid, volume.modality, volume.unit)
        write_volume(room / "imagesTr" / f"{name}.nii.gz", stored)
        labels = Volume(np.ascontiguousarray(truth), region.grid)
        write_segmentation(room / "labelsTr" / f"{name}.nii.gz", labels, model.card.labels)
        names.append(name)
    return names


def _steps(trained: dict[str, Any], cases: int) -> int:
    return max(1, _EPOCHS * -(-cases // int(trained.get("batch_size", 1))))


def _fine_tuning(trained: dict[str, Any], model: Model, *, steps: int) -> dict[str, Any]:
    configuration = copy.deepcopy(trained)
    configuration["name"] = f"{model.card.name}-fine-tuned"
    configuration["data"] |= {"folder": "", "split_file": SPLIT_NAME}
    # JSON, in which the card keeps it, knows no numbers as keys.
    configuration["data"]["labels"] = {int(value): name for value, name in configuration["data"]["labels"].items()}
    configuration["initial_weights"] = str(model.weights_path)
    configuration["total_steps"] = steps
    optimiser = configuration.setdefault("optimiser", {})
    optimiser["learning_rate"] = float(optimiser.get("learning_rate", 1e-3)) * _RATE_SHARE
    optimiser["warm_up_steps"] = min(int(optimiser.get("warm_up_steps", 0)), steps // 10)
    return configuration


def _write_yaml(path: Path, configuration: dict[str, Any]) -> None:
    import yaml

    path.write_text(yaml.safe_dump(configuration, sort_keys=False, allow_unicode=True), encoding="utf-8")
