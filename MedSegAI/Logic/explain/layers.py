"""Reaching into a network: the feature maps of a named layer, and the logits that follow from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches

import torch
from torch import Tensor, nn

from MedSegAI.Logic.errors import ModelError

_SHOWN = 12


def activations_and_logits(network: nn.Module, image: Tensor, *, layer: str) -> tuple[Tensor, Tensor]:
    """A layer's feature maps as the start of the gradient's path, and the logits computed from them.

    The graph begins at the layer: what comes before it runs without one and parameters get no gradient, so
    back-propagation costs only the part of the network above the layer.

    Args:
        network: Gives logits (1, classes, k, j, i); evaluated without dropout, then put back as it was.
        image: (1, channels, k, j, i) float32 on the network's device.
        layer: Name as ``network.named_modules()`` has it.

    Returns:
        Feature maps (1, channels, k', j', i') that require a gradient, and the logits.

    Raises:
        ModelError: if there is no such layer, it is not run, or does not give feature maps; lists layers that do.
    """
    module = find_layer(network, layer)
    _refuse_tokens(network, layer)
    caught: list[Tensor] = []

    def begin_here(_module: nn.Module, _inputs: tuple, output: object) -> Tensor:
        if not torch.is_tensor(output) or output.ndim != 5:
            raise ModelError(
                f"The layer '{layer}' does not give feature maps in 3D.", advice=f"Choose one of: {_suggest(network)}."
            )
        caught.append(output.detach().requires_grad_(True))
        return caught[-1]

    with _frozen(network), torch.enable_grad():
        handle = module.register_forward_hook(begin_here)
        try:
            logits = network(image)
        finally:
            handle.remove()
    if not caught or not logits.requires_grad:
        raise ModelError(
            f"The layer '{layer}' has no influence on the logits.", advice=f"Choose one of: {_suggest(network)}."
        )
    return caught[-1], logits


def find_layer(network: nn.Module, layer: str) -> nn.Module:
    """The module of this name.

    Raises:
        ModelError: if there is none; lists near names and the main layers.
    """
    modules = dict(network.named_modules())
    if layer not in modules or not layer:
        near = get_close_matches(layer, modules, n=3)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        raise ModelError(
            f"The network has no layer '{layer}'.", advice=f"{hint}Its main layers are: {_suggest(network)}."
        )
    return modules[layer]


def _refuse_tokens(network: nn.Module, layer: str) -> None:
    """Refuse layers of a transformer's blocks: their channels come last, which the shape of an output does not tell."""
    parts = layer.split(".")
    around = [network.get_submodule(".".join(parts[: depth + 1])) for depth in range(len(parts))]
    if isinstance(around[-1], (nn.LayerNorm, nn.Linear)) or any(getattr(m, "gives_tokens", False) for m in around):
        raise ModelError(
            f"The layer '{layer}' gives tokens, not feature maps in 3D.", advice=f"Choose one of: {_suggest(network)}."
        )


def _suggest(network: nn.Module) -> str:
    names = [name for name, _ in network.named_children()]
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Evaluation mode and no parameter gradients for a while, then everything as it was."""
    was_training = network.training
    wanted = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in wanted:
        parameter.requires_grad_(False)
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)
        for parameter in wanted:
            parameter.requires_grad_(True)
