"""A signed assessment becomes a new version of the model, and every earlier version can be had back.

The weights stay as they are; a version is a card. A model folder keeps its cards in ``versions/VERSION/card.json``,
with the signed report of each version beside it. A shipped model is never touched: its new version lies in the user's
own models folder under the same name, and is found first from then on. Any other model is the user's own.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.files.atomic import make_folder, write_beside
from MedSegAI.Logic.models.calibration import Calibration
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import (
    CARD_NAME,
    CASES_NAME,
    SHIPPED_MODELS,
    TRAINED_ON_NAME,
    WEIGHTS_NAME,
    Model,
    file_sha256,
    read_model,
    user_models_folder,
    verify,
)
from MedSegAI.Logic.recalibrate.draft import ASSESSMENT_NAME, REPORT_NAME, Draft

VERSIONS = "versions"
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def adopt(draft: Draft, model: Model, *, signed_by: str, role: str = "") -> Model:
    """Make a new version of the model, as a draft proposes and a person signs.

    Args:
        draft: The assessment.
        model: The model as it is now.
        signed_by: Who read the report and answers for it.
        role: What that person is, such as "medical physicist".

    Raises:
        InputError: if nobody signs, the draft proposes nothing, or it is about another model or version.
        ModelError: if the weights are damaged, or the new card would not be a valid one.
        StorageError: if the models folder cannot be written; the model is then as it was.
    """
    proposed = _proposed(draft, signed_by)
    _refuse_another_model(draft, model)
    verify(model)
    version = _next_version(model)
    previous = model.folder / CARD_NAME
    card = dataclasses.replace(
        model.card,
        version=version,
        calibration=proposed,
        revision={
            "previous": {"version": model.card.version, "card_sha256": file_sha256(previous)},
            "verdict": draft.content["decision"]["verdict"],
            "report_sha256": draft.content["report_sha256"],
            "signed_by": signed_by.strip(),
            "role": role.strip(),
            "signed": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        },
    )
    text = card.to_json()
    card = ModelCard.from_json(text, source=f"The card that '{draft.folder}' proposes")
    folder = _own_folder(model)
    kept = _kept_card(folder, model.card.version)
    _bring_weights(model, folder)
    _copy(previous, kept)
    for name in (REPORT_NAME, ASSESSMENT_NAME):
        _copy(draft.folder / name, folder / VERSIONS / version / name)
    # The card comes last: until it stands there, the version before it is the one in use.
    with write_beside(folder / CARD_NAME) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return Model(folder, card)


def roll_back(model: Model) -> Model:
    """Make the version before this one the current one again, byte for byte; the one given up is kept.

    Raises:
        InputError: if this is the first version.
        ModelError: if the earlier card is missing or was changed.
        StorageError: if the folder cannot be written.
    """
    previous: dict[str, Any] | None = model.card.revision.get("previous")
    if previous is None:
        raise InputError(
            f"'{model.card.name}' {model.card.version} is its first version.", advice="There is nothing to go back to."
        )
    kept = _kept_card(model.folder, previous["version"])
    if not kept.is_file() or file_sha256(kept) != previous["card_sha256"]:
        raise ModelError(
            f"The card of version {previous['version']} of '{model.card.name}' is missing or was changed.",
            advice=f"Restore '{kept}' from a backup.",
        )
    _copy(model.folder / CARD_NAME, _kept_card(model.folder, model.card.version))
    _copy(kept, model.folder / CARD_NAME)
    return read_model(model.folder)


def _proposed(draft: Draft, signed_by: str) -> Calibration:
    if not signed_by.strip():
        raise InputError("Nobody signs the report.", advice="Give the name of the person who read it.")
    if draft.content["calibration"] is None:
        verdict = draft.content["decision"]["verdict"]
        raise InputError(
            f"The assessment in '{draft.folder}' proposes no new calibration: its verdict is '{verdict}'.",
            advice="Read its report for what to do.",
        )
    digest = draft.content["report_sha256"]
    content = draft.content["calibration"]
    return Calibration.from_plain(content | {"record": content["record"] | {"report_sha256": digest}})


def _refuse_another_model(draft: Draft, model: Model) -> None:
    if draft.content["card_sha256"] != file_sha256(model.folder / CARD_NAME):
        raise InputError(
            f"The assessment in '{draft.folder}' is not about '{model.card.name}' {model.card.version} as it is now.",
            advice="Run medsegai recalibrate again on the model that is in use.",
        )


def _next_version(model: Model) -> str:
    """ "1" becomes "1.1", "1.1" becomes "1.2"; a number that was given up is not used again."""
    major, _, minor = model.card.version.partition(".")
    number = int(minor) + 1 if minor.isdecimal() else 1
    kept = _own_folder(model) / VERSIONS
    while (kept / f"{major}.{number}").exists():
        number += 1
    return f"{major}.{number}"


def _own_folder(model: Model) -> Path:
    """Where the model's versions are written: its own folder, or for a shipped model one in the user's models."""
    shipped = model.folder.resolve().parent == SHIPPED_MODELS.resolve()
    return user_models_folder() / model.card.name if shipped else model.folder


def _kept_card(folder: Path, version: str) -> Path:
    """Where the card of a version is kept."""
    if not _FOLDER_NAME.fullmatch(version):
        raise ModelError(
            f"The version '{version}' in '{folder / CARD_NAME}' cannot be the name of a folder.",
            advice="Use letters, digits, dots and hyphens for the version in the card.",
        )
    return folder / VERSIONS / version / CARD_NAME


def _bring_weights(model: Model, folder: Path) -> None:
    """What belongs to the weights beside the new card; a folder without one is no model yet: a kill leaves nothing."""
    if folder == model.folder:
        return
    present = folder / CARD_NAME
    if present.is_file() and file_sha256(present) != file_sha256(model.folder / CARD_NAME):
        raise InputError(
            f"'{folder}' holds another model or version called '{model.card.name}', which is the one in use.",
            advice="Assess that one, or rename or remove its folder.",
        )
    for name in (WEIGHTS_NAME, CASES_NAME, TRAINED_ON_NAME):
        if (model.folder / name).is_file():
            _copy(model.folder / name, folder / name)


def _copy(source: Path, target: Path) -> None:
    make_folder(target.parent)
    with write_beside(target) as temporary:
        shutil.copyfile(source, temporary)
