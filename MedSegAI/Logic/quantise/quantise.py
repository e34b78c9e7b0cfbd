"""A model in 8-bit numbers: calibrated on some labelled cases, measured on others, kept only if it is as accurate."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.evaluation.evaluate import evaluate
from MedSegAI.Logic.evaluation.tables import Evaluation
from MedSegAI.Logic.files.atomic import make_folder, room_beside
from MedSegAI.Logic.files.decathlon import case_file, data_folder, read_subset
from MedSegAI.Logic.files.new_folder import refuse_used
from MedSegAI.Logic.inference.engines.int8_engine import int8_engine
from MedSegAI.Logic.inference.engines.int8_record import (
    GRAPH_NAME,
    NUMBERS_NAME,
    RECORD_NAME,
    CasesUsed,
    Int8Model,
    Int8Record,
    own_int8_folder,
)
from MedSegAI.Logic.inference.engines.open import open_torch_engine
from MedSegAI.Logic.inference.engines.openvino_graph import openvino_model
from MedSegAI.Logic.inference.engines.quiet_openvino import without_telemetry
from MedSegAI.Logic.models.registry import Model, file_sha256
from MedSegAI.Logic.provenance import software_versions
from MedSegAI.Logic.quantise.calibration import calibration_windows
from MedSegAI.Logic.quantise.int8_graph import int8_graph
from MedSegAI.Logic.reporter import PartReporter, Reporter, raise_if_cancelled
from MedSegAI.Logic.settings import DeviceChoice, RunSettings

if TYPE_CHECKING:
    import openvino

LARGEST_DROP = 0.005
"""Of the mean Dice; half of what two trainings of one network with other random numbers differ by."""


@dataclass(frozen=True)
class QuantiseChoices:
    """What a person chooses.

    Args:
        measured_on: The list of the split that both forms are measured on.
        calibrated_on: The list whose windows fix the ranges; it must share no case with the other.
        cases: How many cases of it are read, evenly spread.
        windows: How many of their windows are taken at most.
        largest_drop: How much lower the mean Dice may be.
    """

    measured_on: str = "val"
    calibrated_on: str = "train"
    cases: int = 20
    windows: int = 64
    largest_drop: float = LARGEST_DROP

    def __post_init__(self) -> None:
        if min(self.cases, self.windows) < 1:
            raise InputError("Nothing would be calibrated with.", advice="Choose at least one case and one window.")
        if not 0 <= self.largest_drop < 1:
            raise InputError(
                f"A drop of {self.largest_drop} is not usable.",
                advice="Choose one from 0 to below 1, such as 0.005.",
            )


def quantise(
    model: Model,
    dataset: Path,
    *,
    split: Path,
    choices: QuantiseChoices,
    reporter: Reporter,
    folder: Path | None = None,
) -> Int8Model:
    """Make the 8-bit form of a model, and keep it if its mean Dice is lower by no more than was allowed.

    Args:
        model: The model.
        dataset: Folder in the Decathlon layout; label values are those of the model.
        split: JSON file with lists of case names.
        choices: Which cases, and what is allowed.
        reporter: Told done/total; may cancel between cases.
        folder: Where it goes, with all its files at once; None takes
            :func:`own_int8_folder`, and replaces an older one.

    Raises:
        InputError: if the data cannot be used, or the model's accuracy cannot be measured on them.
        ModelError: if the model is damaged, cannot be brought into 8 bits, or the drop is larger; says the figures.
        DependencyError: if a package is missing.
        StorageError: if the folder cannot be written; nothing is left in it then.
        Cancelled: if the user asked to stop.
    """
    target = folder or own_int8_folder(model)
    _refuse_other_content(target, replaces=folder is None)
    data = data_folder(dataset)
    calibrating, measured = _cases(model, split, choices)
    # Before the long work, not in the middle of it.
    for name in (*calibrating, *measured):
        for part in ("imagesTr", "labelsTr"):
            case_file(data / part, name)
    make_folder(target.parent)
    with room_beside(target, refuse=lambda path: None):
        # So that a folder that may not be written to is told now.
        pass
    torch_engine = open_torch_engine(model, device=DeviceChoice.CPU, reporter=reporter)
    windows = calibration_windows(model, data, calibrating, count=choices.windows, reporter=reporter)
    reporter.message(f"Bringing '{model.card.title}' into 8 bits with {len(windows)} windows.")
    card = model.card
    graph = openvino_model(torch_engine.network, window=card.window, channels=len(card.inputs), batch=1)
    graph = int8_graph(graph, windows)
    raise_if_cancelled(reporter)
    with _replaced(target) as room:
        _save(graph, room)
        in_8_bits = int8_engine(room / GRAPH_NAME, open_torch=lambda: torch_engine)
        as_it_is, quantised = (
            evaluate(
                model,
                dataset,
                split=split,
                subset=choices.measured_on,
                settings=RunSettings(device=DeviceChoice.CPU),
                reporter=PartReporter(reporter, f"measuring {what}", before=before, total=2 * len(measured)),
                engine=engine,
            )
            for what, engine, before in (("as it is", torch_engine, 0), ("in 8 bits", in_8_bits, len(measured)))
        )
        record = Int8Record(
            model=card.name,
            model_version=card.version,
            weights_sha256=card.weights_sha256,
            window=card.window,
            channels=len(card.inputs),
            files_sha256={name: file_sha256(room / name) for name in (GRAPH_NAME, NUMBERS_NAME)},
            calibrated_on=CasesUsed(as_it_is.dataset, choices.calibrated_on, len(calibrating), len(windows)),
            measured_on=CasesUsed(as_it_is.dataset, choices.measured_on, len(measured)),
            largest_drop=choices.largest_drop,
            versions=software_versions() | {name: metadata.version(name) for name in ("openvino", "nncf")},
            made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            **_figures(as_it_is, quantised),
        )
        refuse_inaccurate(record)
        (room / RECORD_NAME).write_text(record.to_json(), encoding="utf-8")
    return Int8Model(target, record)


def _cases(model: Model, split: Path, choices: QuantiseChoices) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The cases to calibrate with, evenly spread over their list, and those to measure on."""
    if model.card.needs_point:
        raise InputError(
            f"'{model.card.name}' segments what is pointed at, and labelled cases of this kind hold no points.",
            advice="Go on with the engine 'openvino' for this model.",
        )
    calibrating, measured = read_subset(split, choices.calibrated_on), read_subset(split, choices.measured_on)
    both = sorted(set(calibrating) & set(measured))
    if both:
        raise InputError(
            f"'{both[0]}' would be both calibrated with and measured on: the figures would say nothing.",
            advice="Choose two lists of the split that share no case, such as 'train' and 'val'.",
        )
    count = min(choices.cases, len(calibrating))
    return tuple(calibrating[index * len(calibrating) // count] for index in range(count)), measured


def _figures(as_it_is: Evaluation, quantised: Evaluation) -> dict[str, Any]:
    pairs = {
        key: (as_it_is.mean(key)["dice"], quantised.mean(key)["dice"] if key in quantised.label_keys else None)
        for key in as_it_is.label_keys
    }
    both = [pair for pair in pairs.values() if None not in pair]
    # A model that finds nothing right cannot lose anything either.
    if not any(before > 0 for before, _after in both):
        raise InputError(
            "The accuracy cannot be measured: no case holds a structure that the model finds.",
            advice="Check that the label values of the data set are those of the model.",
        )
    return {
        "dice_float": statistics.fmean(before for before, _after in both),
        "dice_int8": statistics.fmean(after for _before, after in both),
        "dice_by_label": pairs,
        "seconds_per_case": (round(as_it_is.seconds, 4), round(quantised.seconds, 4)),
    }


def refuse_inaccurate(record: Int8Record) -> None:
    """Raise ModelError with the figures where the drop is larger than was allowed, or cannot be told."""
    if not record.holds:
        raise ModelError(
            f"'{record.model}' loses too much in 8 bits, so nothing was kept: {record.sentence()}.",
            advice="Go on with the engine 'openvino', or calibrate with more cases.",
        )


def _save(graph: openvino.Model, folder: Path) -> None:
    openvino = without_telemetry("openvino")
    # Halved, the ranges of the 8-bit numbers would move.
    openvino.save_model(graph, str(folder / GRAPH_NAME), compress_to_fp16=False)


def _refuse_other_content(target: Path, *, replaces: bool) -> None:
    """Raise StorageError for a folder that holds something else; an older 8-bit form may be replaced."""
    if not (replaces and (target / RECORD_NAME).is_file()) and (not replaces or target.exists()):
        refuse_used(target)


@contextmanager
def _replaced(target: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of ``target`` once the block has ended well."""
    with room_beside(target, refuse=lambda path: None) as (room, place):
        made = room / place.name
        made.mkdir()
        yield made
        if place.exists():
            place.replace(room / "older")
        made.replace(place)
