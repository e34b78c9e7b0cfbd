"""From a model on disk to an engine ready to run."""

from __future__ import annotations

from MedSegAI.Logic.inference.device import choose_device
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import DeviceChoice


def open_engine(model: Model, *, device: DeviceChoice, reporter: Reporter) -> EagerEngine:
    """Verify and load a model's weights and place its network on the device.

    Raises:
        ModelError: if the weights are missing, tampered with or do not fit the card.
        DeviceError: if a GPU was asked for and cannot be used.
    """
    chosen = choose_device(device, reporter=reporter)
    return EagerEngine(load_network(model), device=chosen)
