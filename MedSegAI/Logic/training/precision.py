"""The kind of numbers that a network is trained in."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from MedSegAI.Logic.errors import DeviceError
from MedSegAI.Logic.training.config import TrainingConfig

_LOWER = {"bf16-mixed": torch.bfloat16, "fp16-mixed": torch.float16}


def precision_of(config: TrainingConfig, device: torch.device) -> Precision:
    """The precision that a configuration names.

    Raises:
        DeviceError: for float16 on a CPU, which has no fast way to compute with it.
    """
    if config.precision == "fp16-mixed" and device.type == "cpu":
        raise DeviceError(
            "precision is 'fp16-mixed', which needs a GPU, but this run computes on the CPU.",
            advice="Write precision: fp32, or bf16-mixed.",
        )
    return Precision(config.precision, device)


class Precision:
    """Computes products and convolutions in a lower precision; weights, loss, gradients and optimiser stay float32.

    Args:
        name: "fp32", "bf16-mixed" or "fp16-mixed".
        device: Where is computed.
    """

    def __init__(self, name: str, device: torch.device) -> None:
        self._lower, self._device = _LOWER.get(name), device
        # float16 ends at 65504 and has few small numbers: the loss is scaled so that gradients stay between.
        self.scaler = torch.amp.GradScaler(device.type, enabled=name == "fp16-mixed")

    def lowered(self) -> AbstractContextManager:
        """While the block runs, torch chooses the lower precision where it is safe.

        A block of its own for every pass: what torch keeps of a pass without gradients would serve one with them.
        """
        if self._lower is None:
            return nullcontext()
        return torch.autocast(self._device.type, dtype=self._lower)

    def scale(self) -> float | Tensor:
        """What gradients have to be multiplied with; 1 but for float16."""
        return self.scaler.scale(torch.ones((), device=self._device)) if self.scaler.is_enabled() else 1.0

    def update(self, network: nn.Module, optimiser: torch.optim.Optimizer, *, gradient_norm: float) -> bool:
        """Clip the gradients to a norm and move the weights; take the scale off before.

        Returns:
            Whether the weights were moved: float16 leaves a step out whose gradients overflowed, and lowers the scale.
        """
        self.scaler.unscale_(optimiser)
        nn.utils.clip_grad_norm_(network.parameters(), gradient_norm)
        before = self.scaler.get_scale()
        self.scaler.step(optimiser)
        self.scaler.update()
        return self.scaler.get_scale() >= before

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps; empty but for float16."""
        return self.scaler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state_dict`."""
        if state:
            self.scaler.load_state_dict(state)
