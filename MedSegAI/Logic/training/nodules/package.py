"""A run on nodules turned into a model folder, with what was measured of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.tables import Evaluation
from MedSegAI.Logic.files.atomic import make_folder, write_beside
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import TRAINED_ON_NAME, Model
from MedSegAI.Logic.models.weights import build_network, load_state, save_model
from MedSegAI.Logic.training.checkpoint import Checkpoint, load_checkpoint
from MedSegAI.Logic.training.config import config_as_mapping
from MedSegAI.Logic.training.nodules.case import NoduleCase, Source
from MedSegAI.Logic.training.nodules.opening import VALIDATION_SIDE, read_nodules
from MedSegAI.Logic.training.package import with_accuracy


def package_nodule_model(
    checkpoint: Path, template: ModelCard, *, folder: Path, data: Path, notes: Mapping[str, Any] | None = None
) -> Model:
    """Write a model folder from a checkpoint.

    Network, spacing and normalisation come from the run's configuration, the window is the cube that runs are validated
    in, the rest comes from the template. The averaged weights are stored as float16. A file beside them names the
    patients, so that whoever measures the model on other scans of LIDC-IDRI can leave them out.

    Args:
        checkpoint: ``best.pt`` or ``last.pt`` of a run on nodules.
        template: Title, licence, label with its terminology and the like.
        folder: Where the model goes; an older model there is replaced.
        data: Holds both sets, for the record of how many nodules were learned from.
        notes: More for the card's record of the training, such as runs that came before.

    Raises:
        InputError: if the checkpoint is none, or of a run on other data.
        ModelError: if the weights do not fit the network.
        StorageError: if the folder cannot be written.
    """
    run = load_checkpoint(checkpoint)
    config = run.config
    if config.data.kind != "nodules":
        raise InputError(
            f"'{checkpoint}' comes from a run on {config.data.kind} data, not on nodules.",
            advice="Package it by 'medsegai models package'.",
        )
    network = build_network(config.network.name, config.network.arguments)
    load_state(network, run.average, source=f"The weights in '{checkpoint}'")
    cases = {subset: read_nodules(data, config.data, subset=subset) for subset in ("train", "val")}
    card = dataclasses.replace(
        template,
        network=config.network.name,
        network_arguments=dict(config.network.arguments),
        inputs=(dataclasses.replace(template.inputs[0], normalisation=config.data.normalisation),),
        spacing_mm=config.data.spacing_mm,
        window=tuple(max(VALIDATION_SIDE, side) for side in config.patch_size),
        training=_record(run, cases) | dict(notes or {}),
        accuracy={},
    )
    make_folder(folder)
    with write_beside(folder / TRAINED_ON_NAME) as temporary:
        temporary.write_text(_trained_on(cases), encoding="utf-8")
    return save_model(folder, card, state=run.average)


def with_nodule_accuracy(model: Model, evaluation: Evaluation, *, command: str, more: Mapping[str, Any]) -> Model:
    """The same model folder with what was measured on its card, and each case in a file beside it.

    Args:
        model: The model that was measured.
        evaluation: Cubes that were pointed at, one case a click.
        command: How a reader measures it again.
        more: What an evaluation has no place for: the other set, Dice by click error, radiologists.

    Raises:
        InputError: if the evaluation is of other weights.
        StorageError: if the folder cannot be written.
    """
    from safetensors.torch import load_file

    measured = with_accuracy(model, evaluation, command=command)
    card = dataclasses.replace(measured.card, accuracy=measured.card.accuracy | dict(more))
    return save_model(model.folder, card, state=load_file(model.weights_path))


def _record(run: Checkpoint, cases: Mapping[str, Sequence[NoduleCase]]) -> dict[str, Any]:
    counts = {
        subset: {source.value: sum(case.source is source for case in found) for source in Source}
        | {"patients": len(_patients(found))}
        for subset, found in cases.items()
    }
    return {
        "data": "LIDC-IDRI, The Cancer Imaging Archive, CC BY 3.0",
        "nodules": counts,
        "split": "by patient, as the index of each set gives it",
        "trained_on": TRAINED_ON_NAME,
        "steps": run.progress.step,
        "seconds": round(run.progress.seconds),
        "weights": "exponential moving average, stored as float16",
        "configuration": config_as_mapping(run.config),
        "best_dice_while_training": round(run.progress.best_dice, 5),
    }


def _trained_on(cases: Mapping[str, Sequence[NoduleCase]]) -> str:
    lines = [
        "# Patients whose nodules the weights were trained on:",
        *_patients(cases["train"]),
        "# Patients on whom the weights were chosen and measured:",
        *_patients(cases["val"]),
    ]
    return "\n".join(lines) + "\n"


def _patients(cases: Sequence[NoduleCase]) -> list[str]:
    return sorted({case.patient for case in cases})
