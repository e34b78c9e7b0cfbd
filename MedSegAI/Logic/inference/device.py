"""Where to compute: a GPU counts only once a small convolution on it gave the right numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from MedSegAI.Logic.errors import DeviceError, first_line
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import DeviceChoice

if TYPE_CHECKING:
    from torch import Tensor

GPU = "cuda:0"
_LARGEST_DIFFERENCE = 1e-2
"""Between a GPU's and the CPU's convolution of unit normal numbers; TF32 and reduced precision stay far below."""

_FAST_FLOAT16 = (7, 0)
_FAST_BFLOAT16 = (8, 0)


@dataclass(frozen=True)
class Device:
    """A device that passed its test.

    Args:
        name: As torch knows it: "cpu" or "cuda:0".
        description: As a person knows it, such as "cuda:0 (NVIDIA RTX A4000)".
        half_precisions: Names of torch's half precisions that are worth computing in, the more exact ones first; what
            overflows in one is computed in the next. Ignored on the CPU.
    """

    name: str
    description: str
    half_precisions: tuple[str, ...] = ("float16",)

    @property
    def is_gpu(self) -> bool:
        """Whether this is not the CPU."""
        return self.name != "cpu"

    @property
    def is_cuda(self) -> bool:
        """Whether it has CUDA's streams and graphs."""
        return self.name.startswith("cuda")


@dataclass(frozen=True)
class GpuState:
    """Whether the GPU can be used, and a sentence that says why or why not."""

    usable: bool
    sentence: str
    advice: str = ""
    description: str = ""


CPU = Device("cpu", "cpu")


def choose_device(choice: DeviceChoice, *, reporter: Reporter) -> Device:
    """The device for a run: what was asked for, or with ``AUTO`` the GPU if it passes its test, else the CPU.

    Raises:
        DeviceError: if a GPU was asked for and cannot be used.
    """
    if choice is DeviceChoice.CPU:
        return CPU
    state = gpu_state()
    if state.usable:
        return Device(GPU, state.description, half_precisions(GPU))
    if choice is DeviceChoice.CUDA:
        raise DeviceError(f"The GPU cannot be used: {state.sentence}", advice=state.advice)
    reporter.message(f"Computing on the CPU: {state.sentence}")
    return CPU


def half_precisions(device: str) -> tuple[str, ...]:
    """The half precisions of :class:`Device` on a CUDA GPU, by its compute capability.

    From 7.0 on (Volta) matrix units make float16 fast, from 8.0 on (Ampere) bfloat16, too: it is coarser but does not
    overflow. Older GPUs compute either no faster than float32, or far slower.
    """
    import torch

    generation = torch.cuda.get_device_capability(device)
    if generation >= _FAST_BFLOAT16:
        return "float16", "bfloat16"
    return ("float16",) if generation >= _FAST_FLOAT16 else ()


def gpu_state() -> GpuState:
    """Find a GPU and test it with a real kernel; never raises."""
    try:
        import torch
    except (ImportError, OSError) as error:
        return GpuState(False, f"torch cannot be loaded ({first_line(error)}).", "Install torch.")
    if torch.version.cuda is None:
        return GpuState(
            False,
            "the installed torch is a build for the CPU only.",
            "Install a torch build with CUDA, or use the CPU.",
        )
    if not torch.cuda.is_available():
        return GpuState(
            False, "no NVIDIA GPU with a working driver was found.", "Check nvidia-smi and the driver, or use the CPU."
        )
    return _tested(GPU)


def _tested(device: str) -> GpuState:
    """What the test kernel says about ``device``."""
    advice = "Update the GPU's driver or install a torch build that fits the GPU, or use the CPU."
    try:
        difference = _kernel_difference(device)
        description = _describe(device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        return GpuState(False, f"a test convolution on the GPU failed ({first_line(error)}).", advice)
    if not difference <= _LARGEST_DIFFERENCE:
        return GpuState(False, f"a test convolution on the GPU gave wrong numbers (off by {difference:.2g}).", advice)
    return GpuState(True, f"{description} passed its test convolution.", description=description)


def _kernel_difference(device: str) -> float:
    """Largest difference between a small 3D convolution on ``device`` and on the CPU."""
    import torch

    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 2, 8, 8, 8, generator=generator)
    kernel = torch.randn(3, 2, 3, 3, 3, generator=generator) / 54**0.5
    there = _convolve(image.to(device), kernel.to(device)).cpu()
    return float((there - _convolve(image, kernel)).abs().max())


def _convolve(image: Tensor, kernel: Tensor) -> Tensor:
    import torch

    with torch.inference_mode():
        return torch.nn.functional.conv3d(image, kernel, padding=1)


def _describe(device: str) -> str:
    import torch

    return f"{device} ({torch.cuda.get_device_name(device)})" if device.startswith("cuda") else device
