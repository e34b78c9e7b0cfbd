"""``medsegai models package``: a finished training run becomes a model folder, measured on its validation cases."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from MedSegAI.CommandLine.model_files import read_card, read_text, refuse_folder_in_use
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.Logic.errors import InputError

BEST_CHECKPOINT = "best.pt"


def add_parser(actions: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``models package``."""
    parser = actions.add_parser("package", parents=[common], help="turn a training run into a measured model folder")
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="folder of the run; its best.pt is taken")
    parser.add_argument("--card", type=Path, required=True, help="JSON card with title, labels and the like")
    parser.add_argument(
        "--dataset", type=Path, required=True, metavar="DIR", help="the data trained with (imagesTr, labelsTr)"
    )
    parser.add_argument("--split", type=Path, required=True, metavar="FILE", help="the split trained with")
    parser.add_argument("--choices", type=Path, metavar="FILE", help="JSON of choices made, kept on the card")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where to put the model")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Write the model folder, measure the model, and write what was measured on its card."""
    refuse_folder_in_use(options.output, advice="Choose another folder with -o.")
    template = read_card(options.card)
    notes = {} if options.choices is None else {"choices": _json(options.choices)}

    from MedSegAI.Logic.evaluation.evaluate import evaluate
    from MedSegAI.Logic.files.decathlon import data_folder
    from MedSegAI.Logic.settings import EngineChoice, RunSettings
    from MedSegAI.Logic.training.package import package_model, with_accuracy

    # Asked before the folder is written, so that a wrong path leaves no unmeasured model behind.
    data_folder(options.dataset)
    checkpoint = options.run_folder / BEST_CHECKPOINT
    model = package_model(checkpoint, template, folder=options.output, split=options.split, notes=notes)
    # A card's figures are those of the network itself, on every computer.
    exact = RunSettings(engine=EngineChoice.TORCH)
    evaluation = evaluate(model, options.dataset, split=options.split, subset="val", settings=exact, reporter=reporter)
    model = with_accuracy(model, evaluation, command=_command(model.card.name, options))
    facts = {"name": model.card.name, "folder": str(options.output), "weights_sha256": model.card.weights_sha256}
    lines = evaluation.to_text().rstrip("\n").splitlines()
    return Outcome(facts | {"evaluation": evaluation.to_plain()}, (*lines, f"Packaged: {options.output}"))


def _command(name: str, options: argparse.Namespace) -> str:
    """How a reader measures the model again; paths without what only this computer knows."""
    folder = options.dataset.resolve().name
    return f"medsegai evaluate --model {name} --dataset {folder} --split {folder}/{options.split.name} --subset val"


def _json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(read_text(path, advice="Check the path."))
    except json.JSONDecodeError as error:
        raise InputError(f"'{path}' is not valid JSON: {error.msg}.", advice="Mend the file.") from error
