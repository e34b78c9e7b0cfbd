"""Checkpoints of earlier versions, brought to the form of this one.

A field that came later has a default that is best for new runs; what an older run did is another matter, and is written
here.
"""

from __future__ import annotations

from typing import Any

from MedSegAI.Logic.errors import InputError

CHECKPOINT_VERSION = 2


def upgraded(content: dict[str, Any], *, source: str) -> dict[str, Any]:
    """The content of a checkpoint file as this version writes it; ``content`` itself stays as it is.

    Args:
        content: What was read; a file without a version is of version 1.
        source: Name of the file, for the sentence.

    Raises:
        InputError: if a newer version wrote it.
        KeyError, TypeError: if it is no checkpoint.
    """
    version = content.get("version", 1)
    if version > CHECKPOINT_VERSION:
        raise InputError(
            f"{source} was written by a newer version of MedSegAI (checkpoint version {version}, "
            f"this one knows {CHECKPOINT_VERSION}).",
            advice="Update MedSegAI.",
        )
    if version == 1:
        content = content | {"config": upgraded_config(content["config"]), "version": 2}
        content.setdefault("scaler", {})
        content["progress"] = _progress_of_version_1(content["progress"])
    return content


def upgraded_config(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration as an earlier version recorded it, in a checkpoint or on a model's card, with today's fields.

    The first runs computed in float32 on the CPU, fell along one cosine, and counted patience with the validations. A
    configuration of today comes back as it is.

    Args:
        config: All fields, as ``config_as_mapping`` gave them.
    """
    if "precision" in config:
        return config
    validation = dict(config["validation"])
    patience = validation.pop("patience", 0)
    then = {
        "precision": "fp32",
        "device": "cpu",
        "schedule": {"kind": "cosine"},
        "loss": {"kind": "dice_ce"},
        "early_stopping": {"patience": patience},
    }
    return then | config | {"validation": validation}


def _progress_of_version_1(progress: dict[str, Any]) -> dict[str, Any]:
    best = progress["best_dice"] if progress["best_dice"] >= 0 else None
    later = {key: value for key, value in progress.items() if key != "validations_without_better"}
    return {"watch_best": best, "watch_since": progress.get("validations_without_better", 0)} | later
