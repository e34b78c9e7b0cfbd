"""Adding a model folder to the user's own models."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.files.atomic import make_folder, storage_error
from MedSegAI.Logic.models.registry import (
    CARD_NAME,
    WEIGHTS_NAME,
    Model,
    model_folders,
    read_model,
    user_models_folder,
    verify,
)


def add_model_folder(folder: str | Path) -> Model:
    """Check a model folder and copy it to the user's own models; nothing is left where that fails.

    Raises:
        ModelError: if it is no complete model folder, or its weights are not those of its card.
        StorageError: if a model of that name is there already, or it cannot be copied.
    """
    model = read_model(Path(folder))
    verify(model)
    name = model.card.name
    if any(there.name == name for there in model_folders()):
        raise StorageError(f"A model '{name}' is installed already.", advice="Remove that one first.")
    target = make_folder(user_models_folder()) / name
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".adding-") as beside:
            complete = Path(beside) / name
            complete.mkdir()
            for part in (CARD_NAME, WEIGHTS_NAME):
                shutil.copyfile(model.folder / part, complete / part)
            complete.rename(target)
    except OSError as error:
        raise storage_error(target, error) from error
    return read_model(target)
