"""The kind of numbers that a network is trained in."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from MedSegAI.Logic.errors import DeviceError
from MedSegAI.Logic.training.config import TrainingConfig

_CONVOLUTIONS = {torch.conv3d, torch.conv_transpose3d, functional.conv3d, functional.conv_transpose3d}
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


class _ConvolutionsInFloat32(TorchFunctionMode):
    """Keeps 3D convolutions out of a lower precision.

    On a CPU, torch 2.13 gives wrong gradients of the weights of a convolution of few voxels in bfloat16: seen up to
    1e34 where 1 was right, in most repeats.
    """

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function not in _CONVOLUTIONS:
            return function(*args, **(kwargs or {}))
        with torch.autocast("cpu", enabled=False):
            return function(*map(_widened, args), **{key: _widened(value) for key, value in (kwargs or {}).items()})


def _widened(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) else value


class Precision:
    """Computes products and, on a GPU, convolutions in a lower precision; all that is kept stays float32.

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
        lowered = torch.autocast(self._device.type, dtype=self._lower)
        if self._device.type != "cpu":
            return lowered
        both = ExitStack()
        both.enter_context(lowered)
        both.enter_context(_ConvolutionsInFloat32())
        return both

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
