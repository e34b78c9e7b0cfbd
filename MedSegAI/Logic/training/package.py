"""A training run turned into a model folder: averaged weights, and a card that says how they came about."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.evaluation.tables import Evaluation
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.files.decathlon import read_split
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import CASES_NAME, Model
from MedSegAI.Logic.models.weights import build_network, load_state, save_model
from MedSegAI.Logic.training.batches import steps_per_epoch
from MedSegAI.Logic.training.checkpoint import Progress, load_checkpoint
from MedSegAI.Logic.training.config import TrainingConfig, config_as_mapping


def package_model(
    checkpoint: Path,
    template: ModelCard,
    *,
    folder: Path,
    split: Path,
    notes: Mapping[str, Any] | None = None,
) -> Model:
    """Write a model folder from a checkpoint.

    The network, its arguments, the window, the spacing and the normalisation come from the run's configuration, so
    the card cannot disagree with what was trained; the rest comes from the template. The averaged weights are stored
    as float16.

    Args:
        checkpoint: ``best.pt`` or ``last.pt`` of a run.
        template: Title, licence, labels with their terminology, localiser and the like.
        folder: Where the model goes; an older model there is replaced.
        split: The split file that was trained with, for the record.
        notes: More for the card's record of the training, such as choices made and the figures behind them.

    Raises:
        InputError: if the checkpoint cannot be read.
        ModelError: if the template's labels are not those that were trained, or the weights do not fit.
        StorageError: if the folder cannot be written.
    """
    run = load_checkpoint(checkpoint)
    config = run.config
    _refuse_other_labels(template, config)
    network = build_network(config.network.name, config.network.arguments)
    load_state(network, run.average, source=f"The weights in '{checkpoint}'")
    scan = dataclasses.replace(template.inputs[0], normalisation=config.data.normalisation)
    card = dataclasses.replace(
        template,
        network=config.network.name,
        network_arguments=dict(config.network.arguments),
        inputs=(scan,),
        spacing_mm=config.data.spacing_mm,
        window=config.patch_size,
        training=_record(config, run.progress, split) | dict(notes or {}),
        accuracy={},
    )
    return save_model(folder, card, state=run.average)


def with_accuracy(model: Model, evaluation: Evaluation, *, command: str) -> Model:
    """The same model folder with what was measured: means and worst cases on its card, each case in a file beside it.

    The weights are written again, unchanged.

    Args:
        model: The model that was measured.
        evaluation: What was measured.
        command: How a reader measures it again.

    Raises:
        InputError: if the evaluation is of other weights.
        StorageError: if the card cannot be written.
    """
    from safetensors.torch import load_file

    if evaluation.model_sha256 != model.card.weights_sha256:
        raise InputError(
            f"The evaluation is of other weights than those of '{model.card.name}'.", advice="Evaluate this model."
        )
    plain = evaluation.to_plain()
    kept = ("dataset", "subset", "case_count", "seconds_per_case", "scoring", "mean", "interval")
    measured = {key: plain[key] for key in kept}
    accuracy = {"command": command} | measured | {"lowest_dice": _worst_cases(evaluation), "every_case": CASES_NAME}
    with write_beside(model.folder / CASES_NAME) as temporary:
        temporary.write_text(evaluation.to_json(), encoding="utf-8")
    card = dataclasses.replace(model.card, accuracy=accuracy)
    return save_model(model.folder, card, state=load_file(model.weights_path))


def _worst_cases(evaluation: Evaluation) -> dict[str, dict[str, Any]]:
    worst = {key: min(evaluation.cases, key=lambda case: case.labels[key].dice) for key in evaluation.label_keys}
    return {key: {"case": case.case, "dice": round(case.labels[key].dice, 5)} for key, case in worst.items()}


def _refuse_other_labels(template: ModelCard, config: TrainingConfig) -> None:
    trained, named = sorted(config.data.labels), sorted(label.value for label in template.labels)
    if trained != named:
        raise ModelError(
            f"The card names the label values {named}, the run was trained on {trained}.",
            advice="Give the card one label for each that was trained.",
        )


def _record(config: TrainingConfig, progress: Progress, split: Path) -> dict[str, Any]:
    names = read_split(split)
    return {
        "data": config.data.folder,
        "split": {
            "file": split.name,
            "sha256": hashlib.sha256(split.read_bytes()).hexdigest(),
            "train_cases": len(names.train),
            "val_cases": len(names.val),
        },
        "epochs": math.ceil(progress.step / steps_per_epoch(len(names.train), config)),
        "steps": progress.step,
        "seconds": round(progress.seconds),
        "weights": "exponential moving average, stored as float16",
        "configuration": config_as_mapping(config),
        "best_dice_while_training": round(progress.best_dice, 5),
    }
