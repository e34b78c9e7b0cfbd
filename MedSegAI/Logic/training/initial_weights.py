"""A network that starts from the weights of another, as far as they fit."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.models.weights import read_checkpoint

_SAFETENSORS = ".safetensors"


def load_fitting_weights(network: nn.Module, path: Path) -> str:
    """Take over the tensors whose name and shape fit; the others keep their random start.

    Args:
        network: Changed in place.
        path: A checkpoint (``.pt``, with or without common wrappers) or a safetensors file.

    Returns:
        A sentence that says how many tensors were taken, and which parts of the network were left alone.

    Raises:
        ModelError: if a checkpoint cannot be read.
        InputError: if a safetensors file cannot be read, or nothing in the file fits.
    """
    offered, wanted = _read(path), network.state_dict()
    fitting = {
        name: tensor.to(wanted[name].dtype)
        for name, tensor in offered.items()
        if name in wanted and tensor.shape == wanted[name].shape
    }
    if not fitting:
        raise InputError(
            f"No tensor in '{path}' fits {type(network).__name__} by name and shape.",
            advice="Check initial_weights and the network's arguments.",
        )
    network.load_state_dict(fitting, strict=False)
    left = sorted({name.split(".")[0] for name in wanted if name not in fitting})
    rest = f" Random at the start: {', '.join(left)}." if left else ""
    return f"Starting from '{path}': {len(fitting)} of {len(wanted)} tensors fit.{rest}"


def _read(path: Path) -> dict[str, Tensor]:
    if path.suffix != _SAFETENSORS:
        return read_checkpoint(path)
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"'{path}' cannot be read as safetensors: {error}.", advice="Check the path.") from error
