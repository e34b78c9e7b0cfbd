"""Where a process trains: on the CPU, or on the GPU that has its number."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from MedSegAI.Logic.errors import DeviceError
from MedSegAI.Logic.inference.device import gpu_state
from MedSegAI.Logic.settings import DeviceChoice
from MedSegAI.Logic.training.batches import Batch


def training_device(choice: DeviceChoice, *, local_rank: int) -> torch.device:
    """The CPU, or GPU number ``local_rank``; ``AUTO`` takes the GPU where one passes its test.

    Raises:
        DeviceError: if a GPU was asked for and none can be used, or there are more processes than GPUs.
    """
    if choice is DeviceChoice.CPU:
        return torch.device("cpu")
    state = gpu_state()
    if not state.usable:
        if choice is DeviceChoice.CUDA:
            raise DeviceError(f"The GPU cannot be used: {state.sentence}", advice=state.advice)
        return torch.device("cpu")
    found = torch.cuda.device_count()
    if local_rank >= found:
        raise DeviceError(
            f"Process {local_rank} of this computer has no GPU: {found} {'is' if found == 1 else 'are'} here.",
            advice=f"Give torchrun --nproc_per_node={found}, or train on the CPU with --set device=cpu.",
        )
    return torch.device("cuda", local_rank)


def on_device(batch: Batch, device: torch.device) -> Batch:
    """The batch on the device; to a GPU it is copied while the program goes on."""
    if device.type == "cpu":
        return batch
    return Batch(**{field.name: _copied(getattr(batch, field.name), device) for field in dataclasses.fields(batch)})


def _copied(tensor: Tensor | None, device: torch.device) -> Tensor | None:
    if tensor is None:
        return None
    # Only from pinned memory does the copy run beside the computation.
    source = tensor.pin_memory() if device.type == "cuda" else tensor
    return source.to(device, non_blocking=True)
