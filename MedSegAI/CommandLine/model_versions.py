"""``medsegai models adopt`` and ``rollback``: a signed assessment becomes a version, and a version is given up."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter


def add_parser(actions: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``adopt`` and ``rollback``."""
    adopting = actions.add_parser("adopt", parents=[common], help="make a new version as a signed assessment says")
    adopting.add_argument("draft", type=Path, metavar="FOLDER", help="what medsegai recalibrate wrote")
    adopting.add_argument("--signed-by", required=True, metavar="NAME", help="who read the report and answers for it")
    adopting.add_argument("--role", default="", help="what that person is, such as medical physicist")
    adopting.add_argument("--model", metavar="NAME_OR_PATH", help="the model (default: the one that was assessed)")
    adopting.set_defaults(run=_adopt)

    giving_up = actions.add_parser("rollback", parents=[common], help="go back to the version before this one")
    giving_up.add_argument("model", help="name of an installed model, or a model folder")
    giving_up.set_defaults(run=_roll_back)


def _adopt(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.models.registry import find_model, name_or_folder
    from MedSegAI.Logic.recalibrate.draft import read_draft
    from MedSegAI.Logic.recalibrate.versions import adopt

    draft = read_draft(options.draft)
    model = find_model(options.model or draft.content["model"])
    new = adopt(draft, model, signed_by=options.signed_by, role=options.role)
    facts = {"name": new.card.name, "version": new.card.version, "folder": str(new.folder)}
    lines = (
        f"{new.card.name} is now version {new.card.version}, in {new.folder}.",
        f"Back to {model.card.version}: medsegai models rollback {shlex.quote(name_or_folder(new))}",
    )
    return Outcome(facts, lines)


def _roll_back(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.models.registry import find_model
    from MedSegAI.Logic.recalibrate.versions import roll_back

    given_up = find_model(options.model)
    model = roll_back(given_up)
    facts = {"name": model.card.name, "version": model.card.version, "folder": str(model.folder)}
    return Outcome(
        facts, (f"{model.card.name} is version {model.card.version} again, no longer {given_up.card.version}.",)
    )
