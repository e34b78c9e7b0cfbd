"""The network as torch runs it, with half precision on a GPU and fallbacks where its memory does not suffice.

Nothing of what is done on a GPU was ever measured, or run, on one.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from MedSegAI.Logic.errors import DeviceError
from MedSegAI.Logic.inference.device import CPU, Device
from MedSegAI.Logic.inference.engines.cuda_graphs import RecordedForward
from MedSegAI.Logic.inference.engines.gpu_copies import UploadAhead

_MEMORY_SHORTAGES = (
    "can't allocate memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
"""Torch raises some lacks of memory as plain RuntimeErrors; no other RuntimeError counts as one."""

_CONVOLUTION_AXES = 5


class EagerEngine:
    """A network in evaluation mode on one device.

    On a GPU it computes in the first of the device's half precisions (autocast), with tensors channels-last. A batch
    that overflows there is repeated in float32, and those after it are computed in the next precision. On a CUDA GPU
    windows are uploaded while those before them are computed (:meth:`upload_ahead`), and the work on a shape that comes
    often is recorded as a CUDA graph. When the GPU's memory does not suffice, :meth:`step_down` goes one rung down:
    recorded graphs are given up, logits are left on the CPU, then fewer windows are computed at once, then the network
    moves to the CPU.

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
        self._halves = list(device.half_precisions)
        self._recorded: RecordedForward | None = None
        self._uploads: UploadAhead | None = None
        if device.is_gpu:
            _lay_channels_last(self.network)
        if device.is_cuda:
            self._recorded = RecordedForward(lambda batch: self.forward(batch, half=True))
            self._uploads = UploadAhead(device.name)

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
            if self._last_batch == len(windows):
                return self._evaluate(windows)
            cuts = range(self._last_batch, len(windows), self._last_batch)
            return torch.cat([self._evaluate(part) for part in np.split(windows, cuts)])
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            translated = _translate(error)
            if translated is None:
                raise
            raise translated from error

    def upload_ahead(self, windows: np.ndarray) -> None:
        """Tell which array :meth:`predict` will be given after the one it works on, so that it is there by then."""
        if self._uploads is not None and (self._largest_batch is None or len(windows) <= self._largest_batch):
            self._uploads.begin(windows)

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
        if self._recorded is not None and self._recorded.holds_memory:
            sentence = "The GPU's memory does not suffice: the network is computed without recorded graphs."
            self._recorded.forget(why=sentence)
            return sentence
        if self.logits_device != "cpu":
            self.logits_device = "cpu"
            return "The GPU's memory does not suffice: logits are summed in the computer's memory."
        if self._last_batch > 1:
            self._largest_batch = self._last_batch = self._last_batch // 2
            return f"The memory does not suffice: at most {self._largest_batch} windows are computed at once."
        if self.device.is_gpu:
            self.network.to(CPU.name)
            self.device = CPU
            self._recorded = self._uploads = None
            return "The GPU's memory does not suffice even for one window: computing on the CPU."
        raise DeviceError(
            "The computer's memory does not suffice for one window of this model.",
            advice="Close other programs, or choose a model with a smaller window.",
        )

    def _evaluate(self, windows: np.ndarray) -> Tensor:
        if not self.device.is_gpu:
            return self.forward(torch.as_tensor(windows)).to(self.logits_device)
        batch = self._on_gpu(windows)
        if not self._halves:
            return self.forward(batch).to(self.logits_device)
        logits = self._in_half(batch)
        if not torch.isfinite(logits.sum()):
            self._give_up_precision()
            logits = self.forward(batch)
        return logits.to(self.logits_device)

    def _on_gpu(self, windows: np.ndarray) -> Tensor:
        if self._uploads is not None:
            batch = self._uploads.take(windows)
        else:
            batch = torch.as_tensor(windows, device=self.device.name)
        return batch.contiguous(memory_format=torch.channels_last_3d)

    def _in_half(self, batch: Tensor) -> Tensor:
        if self._recorded is None:
            return self.forward(batch, half=True)
        logits = self._recorded(batch)
        if self._recorded.refusal and self._recorded.refusal not in self.fallbacks:
            self.fallbacks = (*self.fallbacks, self._recorded.refusal)
        return logits

    def _give_up_precision(self) -> None:
        self._halves.pop(0)
        if self._recorded is not None:
            self._recorded.forget()

    def forward(self, batch: Tensor, *, half: bool = False) -> Tensor:
        """Logits float32 of a batch that already lies on the engine's device; ``half`` computes in half precision."""
        dtype = getattr(torch, self._halves[0]) if half and self._halves else torch.float16
        # Without a cache of cast weights, which a recorded graph must not share with what is computed beside it.
        casting = torch.autocast(batch.device.type, dtype=dtype, enabled=half, cache_enabled=False)
        with torch.inference_mode(), casting:
            return self.network(batch).float()


def _lay_channels_last(network: nn.Module) -> None:
    """Convolutions' weights in the layout of the fast half-precision kernels, in place; values stay."""
    for parameter in network.parameters():
        if parameter.ndim == _CONVOLUTION_AXES:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last_3d)


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
