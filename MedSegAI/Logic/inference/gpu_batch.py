"""How many windows a GPU computes at once: what its free memory surely holds. Not measured on a GPU."""

from __future__ import annotations

from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.free_memory import free_gpu_memory
from MedSegAI.Logic.inference.plan import activation_bytes
from MedSegAI.Logic.models.card import ModelCard

LARGEST_BATCH = 8
"""More windows at once keep no GPU busier."""

_SHARE_OF_FREE_MEMORY = 0.5
"""The rest is for the planes of logits, for what libraries take for themselves, and for whoever shares the GPU."""


def batch_that_fits(card: ModelCard, engine: Engine, *, windows: int) -> int:
    """Windows that are best computed at once: one on the CPU, on a GPU a power of two that its free memory holds.

    The activations are those measured in float32, so in half precision there is room left. Where it is too much all the
    same, the engine steps down.

    Args:
        card: The model's card.
        engine: What evaluates the network.
        windows: How many there are to compute.
    """
    if not isinstance(engine, EagerEngine) or not engine.device.is_gpu:
        return 1
    one = activation_bytes(card.network_arguments, card.window, classes=card.class_count)
    room = int(free_gpu_memory(engine.device.name) * _SHARE_OF_FREE_MEMORY) // one
    return largest_power_of_two(min(room, LARGEST_BATCH, windows))


def largest_power_of_two(limit: int) -> int:
    """The largest power of two that is not above ``limit``; 1 where there is none."""
    return 1 << max(limit.bit_length() - 1, 0)
