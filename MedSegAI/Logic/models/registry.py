"""Where models live and how they are found, listed and verified.

A model is a folder with ``card.json`` and ``weights.safetensors``. Shipped models lie in ``Resources/Models``; a
user's own in the folder that ``MEDSEGAI_MODELS`` names (default ``~/.local/share/medsegai/models``). A user's model
takes the place of a shipped one of the same name: it is a later version of it. No network is ever used.
"""

from __future__ import annotations

import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.models.card import ModelCard

CARD_NAME = "card.json"
WEIGHTS_NAME = "weights.safetensors"
CASES_NAME = "validation.json"
"""The scores of the single cases that a model was measured on; not every model has them."""
TRAINED_ON_NAME = "trained-on.txt"
"""Whom a model was trained or chosen on, one a line, where a public benchmark holds some of them too."""
SHIPPED_MODELS = Path(__file__).resolve().parents[2] / "Resources" / "Models"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Model:
    """A model folder whose card has been read; the weights are read by :mod:`MedSegAI.Logic.models.weights`."""

    folder: Path
    card: ModelCard

    @property
    def weights_path(self) -> Path:
        """The safetensors file of this model."""
        return self.folder / WEIGHTS_NAME


def user_models_folder() -> Path:
    """Where a user's own models are kept."""
    named = os.environ.get("MEDSEGAI_MODELS")
    return Path(named) if named else Path.home() / ".local" / "share" / "medsegai" / "models"


def model_folders() -> tuple[Path, ...]:
    """All model folders, shipped ones (or what took their place) first, each group in alphabetical order."""
    found: dict[str, Path] = {}
    for parent in (SHIPPED_MODELS, user_models_folder()):
        if parent.is_dir():
            found |= {folder.name: folder for folder in sorted(parent.iterdir()) if (folder / CARD_NAME).is_file()}
    return tuple(found.values())


def find_model(name_or_path: str | Path) -> Model:
    """The model of this name, or in this folder.

    Raises:
        ModelError: if there is none (the message lists those there are), or its card cannot be read.
    """
    for folder in model_folders():
        if folder.name == str(name_or_path):
            return read_model(folder)
    path = Path(name_or_path)
    if path.is_dir():
        return read_model(path)
    known = ", ".join(folder.name for folder in model_folders()) or "none"
    raise ModelError(
        f"There is no model '{name_or_path}'.",
        advice=f"Installed models: {known}. Give one of these names, or the path of a model folder.",
    )


def name_or_folder(model: Model) -> str:
    """What a command must be given to find this very model: its name where that does, else its folder."""
    found = {folder.name: folder for folder in model_folders()}.get(model.card.name)
    return model.card.name if found is not None and found.samefile(model.folder) else str(model.folder)


def read_model(folder: Path) -> Model:
    """Read the card of a model folder; the weights are not touched.

    Raises:
        ModelError: if the card or the weights are missing, or the card does not fit the schema.
    """
    card_path = folder / CARD_NAME
    for path in (card_path, folder / WEIGHTS_NAME):
        if not path.is_file():
            raise ModelError(
                f"'{folder}' is not a complete model folder: {path.name} is missing.",
                advice=f"A model folder holds {CARD_NAME} and {WEIGHTS_NAME}; copy it again.",
            )
    try:
        text = card_path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"The card '{card_path}' cannot be read: {error}.", advice="Copy the model again.") from error
    return Model(folder, _card(text, f"'{card_path}'"))


@functools.lru_cache(maxsize=32)
def _card(text: str, source: str) -> ModelCard:
    # Faces ask for the model's card with every change they show; checking it takes longer than all the rest.
    return ModelCard.from_json(text, source=source)


def verify(model: Model) -> None:
    """Check that the weights are those the card was written for.

    Raises:
        ModelError: if the SHA-256 of the weights is not the card's, or they cannot be read.
    """
    found = file_sha256(model.weights_path)
    if found != model.card.weights_sha256:
        raise ModelError(
            f"The weights of '{model.card.name}' were changed or damaged: their SHA-256 starts with {found[:12]}, "
            f"the card says {model.card.weights_sha256[:12]}.",
            advice="Do not use this model; copy it again from where you trust it.",
        )


def file_sha256(path: Path) -> str:
    """Hex SHA-256 digest of a file.

    Raises:
        ModelError: if the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise ModelError(f"'{path}' cannot be read: {error.strerror}.", advice="Check its permissions.") from error
    return digest.hexdigest()
