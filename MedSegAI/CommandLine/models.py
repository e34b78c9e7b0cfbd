"""``medsegai models``: which models there are, what their cards say, make one, check that none was changed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSegAI.CommandLine import export_model, model_versions, package, quantise
from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.errors import BAD_INPUT_EXIT_CODE
from MedSegAI.CommandLine.model_files import read_card, refuse_folder_in_use
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.Logic.errors import ModelError

if TYPE_CHECKING:
    from MedSegAI.Logic.models.card import ModelCard


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``models`` and its actions."""
    parser = commands.add_parser("models", help="list, describe, import, package, verify, adopt and roll back models")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, dest="action")

    listing = actions.add_parser("list", parents=[common], help="every model that is installed")
    listing.set_defaults(run=_list)

    info = actions.add_parser("info", parents=[common], help="what the card of a model says")
    info.add_argument("model", help="name of an installed model, or a model folder")
    info.set_defaults(run=_info)

    importing = actions.add_parser("import", parents=[common], help="turn a MONAI checkpoint into a model folder")
    importing.add_argument("checkpoint", type=Path, help="a .pt or .pth file; no code in it is run")
    importing.add_argument("--card", type=Path, required=True, help="JSON card; its weights_sha256 may be left out")
    importing.add_argument("--name", help="name of the new model (default: the card's)")
    importing.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="where to put it")
    importing.set_defaults(run=_import)

    package.add_parser(actions, common)
    quantise.add_parser(actions, common)
    export_model.add_parser(actions, common)

    verifying = actions.add_parser("verify", parents=[common], help="check the SHA-256 of the weights")
    verifying.add_argument("model", nargs="?", help="one model (default: all that are installed)")
    verifying.set_defaults(run=_verify)

    model_versions.add_parser(actions, common)


def _list(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.models.registry import SHIPPED_MODELS, model_folders, read_model

    facts: list[dict[str, Any]] = []
    for folder in model_folders():
        entry = {"name": folder.name, "folder": str(folder), "shipped": folder.parent == SHIPPED_MODELS}
        try:
            card = read_model(folder).card
            entry |= {"title": card.title, "version": card.version, "licence": card.licence, "problem": None}
        except ModelError as error:
            entry |= {"title": None, "version": None, "licence": None, "problem": str(error)}
        facts.append(entry)
    rows = [
        (
            entry["name"],
            entry["version"] or "-",
            entry["licence"] or "-",
            entry["title"] or f"broken: {entry['problem']}",
        )
        for entry in facts
    ]
    lines = columns([("NAME", "VERSION", "LICENCE", "TITLE"), *rows]) if rows else ("No model is installed.",)
    return Outcome({"models": facts}, lines)


def _info(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.models.registry import find_model

    model = find_model(options.model)
    card = model.card
    inputs = "; ".join(
        f"{entry.name} ({entry.modality.value}, {entry.unit.value}{', may be missing' if entry.optional else ''})"
        for entry in card.inputs
    )
    rows = [
        ("name", f"{card.name} {card.version}"),
        ("title", card.title),
        ("licence", card.licence),
        ("folder", str(model.folder)),
        ("inputs" if len(card.inputs) > 1 else "input", inputs),
        ("spacing", " x ".join(f"{value:g}" for value in card.spacing_mm) + " mm"),
        ("network", f"{card.network} {json.dumps(card.network_arguments)}"),
        ("layer", f"{card.saliency_layer} (explained by default)"),
        ("sha256", card.weights_sha256),
        *_revision_rows(card),
    ]
    lines = [*columns(rows), "", card.description, "", "Labels", *_label_lines(card)]
    for title, record in (("Training", card.training), ("Accuracy", card.accuracy)):
        if record:
            lines += ["", title, *_record_lines(record)]
    lines += ["", f"All of the card: medsegai models info {options.model} --json"]
    return Outcome({"folder": str(model.folder), "card": json.loads(card.to_json())}, tuple(lines))


def _revision_rows(card: ModelCard) -> list[tuple[str, str]]:
    rows = []
    if card.calibration is not None:
        thresholds = ", ".join(f"{key} {value:g}" for key, value in card.calibration.thresholds.items())
        rows.append(("calibration", f"temperature {card.calibration.temperature:g}; thresholds {thresholds or '0.5'}"))
    if signer := card.revision.get("signed_by"):
        previous = card.revision["previous"]["version"]
        rows.append(("signed", f"by {signer}, {card.revision['signed']}; version {previous} before"))
    return rows


def _record_lines(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The plain values of a card's record, and the table of means where it has one; nested notes are for ``--json``."""
    rows = [
        (key.replace("_", " "), str(value)) for key, value in record.items() if isinstance(value, str | int | float)
    ]
    return (*columns(rows), *_mean_lines(record.get("mean")))


def _mean_lines(means: object) -> tuple[str, ...]:
    if not isinstance(means, dict) or not all(isinstance(figures, dict) for figures in means.values()):
        return ()
    names = tuple(dict.fromkeys(name for figures in means.values() for name in figures))
    rows = [(key, *(_figure(figures.get(name)) for name in names)) for key, figures in means.items()]
    return columns([("MEAN", *(name.replace("_", " ") for name in names)), *rows])


def _figure(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "-" if value is None else str(value)


def _label_lines(card: ModelCard) -> tuple[str, ...]:
    rows = [("crop", str(label.value), label.key, label.name) for label in card.labels]
    if card.localiser is not None:
        rows += [("whole scan", str(label.value), label.key, label.name) for label in card.localiser.labels]
    return columns(rows)


def _import(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.models.registry import user_models_folder
    from MedSegAI.Logic.models.weights import import_checkpoint

    card = read_card(options.card, name=options.name)
    folder = options.output or user_models_folder() / card.name
    refuse_folder_in_use(folder, advice="Choose another --name or another folder with -o.")
    model = import_checkpoint(options.checkpoint, card, folder=folder)
    facts = {"name": card.name, "folder": str(folder), "weights_sha256": model.card.weights_sha256}
    return Outcome(facts, (f"Imported '{card.name}' into {folder}.",))


def _verify(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.models.registry import find_model, model_folders, read_model, verify

    if options.model is not None:
        model = find_model(options.model)
        verify(model)
        return Outcome({"models": [{"name": model.card.name, "problem": None}]}, (f"{model.card.name}: unchanged",))
    facts = []
    for done, folder in enumerate(folders := model_folders()):
        reporter.progress(done, len(folders), "verifying")
        try:
            verify(read_model(folder))
            facts.append({"name": folder.name, "problem": None})
        except ModelError as error:
            facts.append({"name": folder.name, "problem": str(error)})
    lines = tuple(f"{entry['name']}: {entry['problem'] or 'unchanged'}" for entry in facts)
    broken = any(entry["problem"] for entry in facts)
    return Outcome({"models": facts}, lines or ("No model is installed.",), BAD_INPUT_EXIT_CODE if broken else 0)
