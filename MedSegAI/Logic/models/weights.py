"""Weights on disk and in memory: safetensors only, checked against the card, never a pickle."""

from __future__ import annotations

import dataclasses
import importlib
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.files.atomic import make_folder, write_beside
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import CARD_NAME, WEIGHTS_NAME, Model, file_sha256, verify

if TYPE_CHECKING:
    import torch

NETWORK_MODULES = {
    "FusionSwinUNETR": "MedSegAI.Logic.networks.fusion_swin_unetr",
    "HybridSwinUNETR": "MedSegAI.Logic.networks.hybrid_swin_unetr",
    "SwinUNETR": "MedSegAI.Logic.networks.swin_unetr",
    "ClickChannel": "MedSegAI.Logic.networks.click_channel",
}
# Our own training checkpoints hold the weights twice: "average" is the one that was validated.
_WRAPPER_KEYS = ("state_dict", "model", "average", "network", "ema")
_WRAPPER_PREFIXES = ("module.", "_orig_mod.")
_SAVE_AGAIN = "Save the network's state_dict() with torch.save and import that file."


def build_network(name: str, arguments: Mapping[str, Any]) -> torch.nn.Module:
    """A fresh network of the class that a card names.

    Raises:
        ModelError: for an unknown class or arguments that it does not take.
    """
    if name not in NETWORK_MODULES:
        raise ModelError(
            f"This version of MedSegAI has no network '{name}'.",
            advice=f"It has: {', '.join(NETWORK_MODULES)}. Update MedSegAI, or choose another model.",
        )
    cls = getattr(importlib.import_module(NETWORK_MODULES[name]), name)
    try:
        return cls(**arguments)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"The network arguments of the card do not fit {name}: {error}.", advice="Mend the card."
        ) from error


def load_network(model: Model) -> torch.nn.Module:
    """The model's network with its weights as float32, in evaluation mode, on the CPU.

    Raises:
        ModelError: if the weights are tampered with, unreadable or do not fit the network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    verify(model)
    try:
        state = load_file(model.weights_path)
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"'{model.weights_path}' is not a readable safetensors file: {error}.",
            advice="Copy the model again.",
        ) from error
    network = build_network(model.card.network, model.card.network_arguments)
    load_state(network, state, source=f"The weights of '{model.card.name}'")
    return network.eval()


def load_state(network: torch.nn.Module, state: Mapping[str, torch.Tensor], *, source: str) -> None:
    """Load ``state`` into ``network``; float16 weights are widened, every key and shape must fit.

    Raises:
        ModelError: naming the first keys that do not fit.
    """
    widened = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    expected = network.state_dict()
    wrong = sorted(set(expected) ^ set(widened)) or [
        f"{key} {tuple(widened[key].shape)} instead of {tuple(expected[key].shape)}"
        for key in expected
        if widened[key].shape != expected[key].shape
    ]
    if wrong:
        shown = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
        raise ModelError(
            f"{source} do not fit {type(network).__name__} as the card describes it: {shown}.",
            advice="Check the network and its arguments on the card (feature size, classes, window size).",
        )
    network.load_state_dict(widened)


def save_model(folder: Path, card: ModelCard, *, state: Mapping[str, torch.Tensor]) -> Model:
    """Write a model folder with the weights as float16; the card's digest is filled in.

    Each file is written beside and renamed, the card last, so a folder with a card is complete.

    Raises:
        StorageError: if the folder cannot be written.
    """
    import torch
    from safetensors.torch import save_file

    halved = {
        key: (value.detach().to(torch.float16) if value.is_floating_point() else value.detach()).cpu().contiguous()
        for key, value in state.items()
    }
    make_folder(folder)
    with write_beside(folder / WEIGHTS_NAME) as temporary:
        save_file(halved, str(temporary))
        # safetensors lets nobody else read its file; a model is shared between the users of a machine.
        temporary.chmod(0o644)
    finished = dataclasses.replace(card, weights_sha256=file_sha256(folder / WEIGHTS_NAME))
    with write_beside(folder / CARD_NAME) as temporary:
        temporary.write_text(finished.to_json(), encoding="utf-8")
    return Model(folder, finished)


def import_checkpoint(checkpoint: Path, card: ModelCard, *, folder: Path) -> Model:
    """Turn a MONAI checkpoint (``.pt``, ``.pth``) into a model folder.

    The file is read with ``weights_only=True``, so no code in it runs; common wrappers (``state_dict``, DDP's
    ``module.`` prefix) are taken off, and the weights must fit the card's network.

    Raises:
        ModelError: if the checkpoint cannot be read safely, or does not fit the card.
    """
    state = read_checkpoint(checkpoint)
    network = build_network(card.network, card.network_arguments)
    load_state(network, state, source=f"The weights in '{checkpoint}'")
    return save_model(folder, card, state=state)


def read_checkpoint(checkpoint: Path) -> dict[str, torch.Tensor]:
    """The tensors of a ``.pt`` checkpoint by name, wrappers and prefixes taken off.

    Raises:
        ModelError: if it is missing, holds anything but tensors, or no state dictionary.
    """
    import torch

    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(
            f"The checkpoint '{checkpoint}' cannot be read: {error.strerror or error}.", advice="Check the path."
        ) from error
    except (RuntimeError, EOFError, LookupError, ValueError, pickle.UnpicklingError) as error:
        # PyTorch's own text goes on for a page and tells how to let the code in the file run.
        has_code = isinstance(error, pickle.UnpicklingError) and zipfile.is_zipfile(checkpoint)
        fault = "it holds Python objects, not only tensors" if has_code else "it is none, or it is damaged"
        raise ModelError(
            f"'{checkpoint}' cannot be read as a checkpoint of tensors: {fault}.", advice=_SAVE_AGAIN
        ) from error
    for key in _WRAPPER_KEYS:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
            break
    if not isinstance(content, dict) or not content or not all(torch.is_tensor(v) for v in content.values()):
        raise ModelError(f"'{checkpoint}' holds no state dictionary.", advice=_SAVE_AGAIN)
    return {_without_prefix(key): value for key, value in content.items()}


def _without_prefix(key: str) -> str:
    for prefix in _WRAPPER_PREFIXES:
        key = key.removeprefix(prefix)
    return key
