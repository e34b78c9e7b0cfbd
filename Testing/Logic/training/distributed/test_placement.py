"""A process trains on the GPU of its number, or on the CPU; what cannot be is told.

No GPU is here: what torch says of GPUs is set, and PyTorch's own "meta" device stands for another device.
"""

from __future__ import annotations

import pytest
import torch

from MedSegAI.Logic.errors import DeviceError
from MedSegAI.Logic.inference.device import GpuState
from MedSegAI.Logic.settings import DeviceChoice
from MedSegAI.Logic.training.batches import Batch
from MedSegAI.Logic.training.distributed import placement
from MedSegAI.Logic.training.distributed.placement import on_device, training_device


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(placement, "gpu_state", lambda: GpuState(True, "it passed its test."))
    monkeypatch.setattr(placement.torch.cuda, "device_count", lambda: 2)


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(placement, "gpu_state", lambda: GpuState(False, "none was found.", "Use the CPU."))


@pytest.mark.parametrize("choice", [DeviceChoice.AUTO, DeviceChoice.CUDA])
def test_each_process_has_the_gpu_of_its_number(two_gpus, choice):
    assert training_device(choice, local_rank=0) == torch.device("cuda", 0)
    assert training_device(choice, local_rank=1) == torch.device("cuda", 1)
    assert training_device(DeviceChoice.CPU, local_rank=1) == torch.device("cpu")


def test_more_processes_than_gpus_are_told(two_gpus):
    with pytest.raises(DeviceError, match="Process 2 of this computer has no GPU: 2 are here") as told:
        training_device(DeviceChoice.AUTO, local_rank=2)
    assert "--nproc_per_node=2" in told.value.advice


def test_without_a_gpu_auto_takes_the_cpu_and_cuda_says_why_not(no_gpu):
    assert training_device(DeviceChoice.AUTO, local_rank=3) == torch.device("cpu")
    with pytest.raises(DeviceError, match="The GPU cannot be used: none was found"):
        training_device(DeviceChoice.CUDA, local_rank=0)


@pytest.mark.parametrize("weights", [None, torch.ones(1, 2, 2, 2)])
def test_a_batch_goes_to_the_device_with_all_it_has(weights):
    batch = Batch(torch.ones(1, 1, 2, 2, 2), torch.zeros(1, 2, 2, 2, dtype=torch.int64), weights)
    assert on_device(batch, torch.device("cpu")) is batch
    there = on_device(batch, torch.device("meta"))
    assert (there.images.device.type, there.targets.device.type) == ("meta", "meta")
    assert there.targets.dtype == torch.int64
    assert weights is None or there.weights.device.type == "meta"
    assert (there.weights is None) == (weights is None)
