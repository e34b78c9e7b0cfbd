"""What the commands that make a model folder share: reading its card, and keeping away from a folder in use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.Logic.errors import InputError, StorageError

if TYPE_CHECKING:
    from MedSegAI.Logic.models.card import ModelCard

# The digest is only known once the weights are written; the schema wants a well-formed one before that.
_DIGEST_TO_COME = "0" * 64


def read_card(path: Path, *, name: str | None = None) -> ModelCard:
    """The card in a JSON file, which may lack the weights' digest; ``name`` replaces the card's own.

    Raises:
        InputError: if the file cannot be read.
        ModelError: if it is not a valid card.
    """
    from MedSegAI.Logic.models.card import ModelCard

    text = read_text(path, advice="Give the path of a JSON card.")
    try:
        fields = json.loads(text)
    except json.JSONDecodeError:
        return ModelCard.from_json(text, source=f"'{path}'")
    if isinstance(fields, dict):
        fields = {"weights_sha256": _DIGEST_TO_COME} | fields | ({"name": name} if name else {})
    return ModelCard.from_json(json.dumps(fields), source=f"'{path}'")


def read_text(path: Path, *, advice: str) -> str:
    """The text of a UTF-8 file.

    Raises:
        InputError: if the file cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{path}' cannot be read: {error}.", advice=advice) from error


def refuse_folder_in_use(folder: Path, *, advice: str) -> None:
    """Raise :class:`StorageError` where a new model folder would meet a file or other files."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StorageError(f"'{folder}' exists already.", advice=advice)
