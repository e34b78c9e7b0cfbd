"""The network as torch runs it, with half precision on a GPU and fallbacks where its memory does not suffice."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from MedSegAI.Logic.errors import DeviceError
from MedSegAI.Logic.inference.device import CPU, Device

_MEMORY_SHORTAGES = (
    "can't allocate memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
"""Torch raises some lacks of memory as plain RuntimeErrors; no other RuntimeError counts as one."""


class EagerEngine:
    """A network in evaluation mode on one device.

    On a GPU it computes in float16 (autocast) and repeats a batch in float32 where float16 overflowed. When the GPU's
    memory does not suffice, :meth:`step_down` goes one rung down: logits are left on the CPU, then fewer windows are
    computed at once, then the network moves to the CPU.

    Args:
        network: Gives logits (n, classes, k, j, i) for windows (n, channels, k, j, i); moved to the device.
        device: Where to compute.
    """

    name = "torch eager"

    def __init__(self, network: nn.Module, *, device: Device = CPU) -> None:
        self.network = network.eval().to(device.name)
        self.device = device
        self.logits_device = device.name
        self.fallbacks: tuple[str, ...] = ()
        self._largest_batch: int | None = None
        self._last_batch = 1

    @property
    def device_name(self) -> str:
        """The device as provenance records it."""
        return self.device.description

    def predict(self, windows: np.ndarray) -> Tensor:
        """Logits (n, classes, k, j, i) float32 on :attr:`logits_device` of windows (n, channels, k, j, i) float32.

        Raises:
            torch.OutOfMemoryError: if the device's memory does not suffice; :meth:`step_down` may help.
            DeviceError: if the GPU failed in another way.
        """
        self._last_batch = min(len(windows), self._largest_batch or len(windows))
        try:
            parts = [
                self._evaluate(part)
                for part in np.split(windows, range(self._last_batch, len(windows), self._last_batch))
            ]
            return parts[0] if len(parts) == 1 else torch.cat(parts)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            translated = _translate(error)
            if translated is None:
                raise
            raise translated from error

    def step_down(self) -> str:
        """Take the next rung of the ladder and return a sentence that says so.

        Raises:
            DeviceError: when one window on the CPU is still too much.
        """
        sentence = self._next_rung()
        torch.cuda.empty_cache()
        self.fallbacks = (*self.fallbacks, sentence)
        return sentence

    def _next_rung(self) -> str:
        if self.logits_device != "cpu":
            self.logits_device = "cpu"
            return "The GPU's memory does not suffice: logits are summed in the computer's memory."
        if self._last_batch > 1:
            self._largest_batch = self._last_batch = self._last_batch // 2
            return f"The memory does not suffice: at most {self._largest_batch} windows are computed at once."
        if self.device.is_gpu:
            self.network.to(CPU.name)
            self.device = CPU
            return "The GPU's memory does not suffice even for one window: computing on the CPU."
        raise DeviceError(
            "The computer's memory does not suffice for one window of this model.",
            advice="Close other programs, or choose a model with a smaller window.",
        )

    def _evaluate(self, windows: np.ndarray) -> Tensor:
        batch = torch.as_tensor(windows, device=self.device.name)
        if not self.device.is_gpu:
            return self.forward(batch).to(self.logits_device)
        logits = self.forward(batch, half=True)
        if not torch.isfinite(logits.sum()):
            logits = self.forward(batch)
        return logits.to(self.logits_device)

    def forward(self, batch: Tensor, *, half: bool = False) -> Tensor:
        """Logits float32 of a batch that already lies on the engine's device; ``half`` computes in float16."""
        with torch.inference_mode(), torch.autocast(batch.device.type, dtype=torch.float16, enabled=half):
            return self.network(batch).float()


def _translate(error: RuntimeError) -> Exception | None:
    """What a RuntimeError of torch means, None where it is nothing that a person could mend."""
    if any(sign in str(error) for sign in _MEMORY_SHORTAGES):
        return torch.OutOfMemoryError(str(error))
    if isinstance(error, torch.AcceleratorError):
        return DeviceError(
            f"The GPU failed while computing: {str(error).splitlines()[0]}.",
            advice="Run again on the CPU (device 'cpu'); if it happens again, update the GPU's driver.",
        )
    return None
