"""From a model on disk to an engine ready to run."""

from __future__ import annotations

from MedSegAI.Logic.inference.device import choose_device
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import DeviceChoice, RunSettings


def open_engine(model: Model, *, settings: RunSettings, reporter: Reporter) -> Engine:
    """The engine that the settings ask for, with the model's weights verified and loaded.

    Raises:
        ModelError: if the weights are missing, tampered with or do not fit the card.
        DeviceError: if a GPU was asked for and cannot be used.
    """
    return open_torch_engine(model, device=settings.device, reporter=reporter)


def open_torch_engine(model: Model, *, device: DeviceChoice, reporter: Reporter) -> EagerEngine:
    """The network in torch, which gives gradients, too; raises as :func:`open_engine`."""
    chosen = choose_device(device, reporter=reporter)
    return EagerEngine(load_network(model), device=chosen)
