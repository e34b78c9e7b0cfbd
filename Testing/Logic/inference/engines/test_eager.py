"""The torch engine computes on the right device and steps down when memory is short, and only then."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSegAI.Logic.errors import DeviceError
from MedSegAI.Logic.inference.device import Device
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.sliding_window import segment_array
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR
from MedSegAI.Logic.reporter import SilentReporter
from Testing.Logic.inference.fake_gpu import FAKE_GPU, fake_gpu

GPU = Device(FAKE_GPU, "a GPU of fake tensors")


class ShortOfMemory(torch.nn.Module):
    """A network double: there is no GPU here whose memory could really run out.

    Raises torch's own error until no more than ``room`` windows come at once; counts the windows of each call.
    """

    def __init__(self, room, error=None):
        super().__init__()
        self.room = room
        self.error = error or torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        self.calls = []

    def forward(self, batch):
        self.calls.append(len(batch))
        if len(batch) > self.room:
            raise self.error
        return torch.cat([-batch, batch], dim=1)


def windows(count, side=4):
    return np.random.default_rng(0).normal(size=(count, 1, side, side, side)).astype(np.float32)


def test_it_is_an_engine_and_gives_the_networks_logits():
    network = torch.nn.Conv3d(1, 3, 3, padding=1).train()
    engine = EagerEngine(network)
    cuts = windows(2)
    logits = engine.predict(cuts)
    assert isinstance(engine, Engine)
    assert not network.training
    assert logits.dtype == torch.float32
    assert not logits.requires_grad
    torch.testing.assert_close(logits, network(torch.from_numpy(cuts)).detach())
    assert (engine.device_name, engine.logits_device, engine.fallbacks) == ("cpu", "cpu", ())


def test_on_a_gpu_no_tensor_of_the_network_stays_behind():
    network = SwinUNETR(1, 3, feature_size=12)
    with fake_gpu() as placeable:
        engine = EagerEngine(placeable(network), device=GPU)
        batch = torch.as_tensor(np.zeros((1, 1, 32, 64, 32), np.float32), device=engine.device.name)
        logits = engine.forward(batch)
        assert str(logits.device) == FAKE_GPU
        assert logits.shape == (1, 3, 32, 64, 32)
        assert engine.device_name == "a GPU of fake tensors"


def test_the_network_stands_half_precision():
    """On the CPU's autocast, which casts the same operations to float16 as a GPU's."""
    torch.manual_seed(0)
    engine = EagerEngine(SwinUNETR(1, 3, feature_size=12))
    batch = torch.randn(1, 1, 32, 64, 32)
    full, half = engine.forward(batch), engine.forward(batch, half=True)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, full, atol=0.02, rtol=0)


def test_fake_tensors_catch_a_network_that_forgets_the_device():
    class Forgetful(torch.nn.Module):
        def forward(self, batch):
            return batch + torch.ones(batch.shape)

    with fake_gpu() as placeable:
        engine = EagerEngine(placeable(Forgetful()), device=GPU)
        with pytest.raises(RuntimeError, match="same device"):
            engine.forward(torch.as_tensor(windows(1), device=FAKE_GPU))


def test_the_ladder_leaves_logits_then_shrinks_the_batch_then_leaves_the_gpu():
    with fake_gpu() as placeable:
        engine = EagerEngine(placeable(ShortOfMemory(room=0)), device=GPU)
        assert engine.logits_device == FAKE_GPU
        with pytest.raises(torch.OutOfMemoryError):
            engine.predict(windows(4))
        steps = [engine.step_down() for _ in range(4)]
        assert [engine.logits_device, engine.device.name] == ["cpu", "cpu"]
        with pytest.raises(DeviceError, match="one window"):
            engine.step_down()
    assert "logits are summed in the computer's memory" in steps[0]
    assert "at most 2 windows" in steps[1]
    assert "at most 1 windows" in steps[2]
    assert "computing on the CPU" in steps[3]
    assert engine.fallbacks == tuple(steps)


def test_a_run_short_of_memory_ends_well_with_fewer_windows_at_once():
    image = np.random.default_rng(0).normal(size=(1, 4, 4, 16)).astype(np.float32)
    network, reporter = ShortOfMemory(room=1), SilentReporter()
    engine = EagerEngine(network)
    result = segment_array(image, engine, window=(4, 4, 4), overlap=0.0, classes=2, reporter=reporter, batch=4)
    np.testing.assert_array_equal(result.labels, (image[0] > 0).astype(np.uint8))
    assert network.calls == [4, 2, 1, 1, 1, 1]
    assert reporter.messages == list(engine.fallbacks)
    assert len(engine.fallbacks) == 2


def test_a_run_that_cannot_fit_ends_with_a_sentence():
    engine = EagerEngine(ShortOfMemory(room=0))
    with pytest.raises(DeviceError, match="does not suffice") as refused:
        segment_array(
            np.zeros((1, 4, 4, 4), np.float32),
            engine,
            window=(4, 4, 4),
            overlap=0.0,
            classes=2,
            reporter=SilentReporter(),
        )
    assert "smaller window" in refused.value.advice


@pytest.mark.parametrize(
    "text",
    [
        "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to allocate 4",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    ],
)
def test_a_lack_of_memory_that_torch_raises_as_a_runtime_error_counts(text):
    with pytest.raises(torch.OutOfMemoryError):
        EagerEngine(ShortOfMemory(room=0, error=RuntimeError(text))).predict(windows(1))


def test_a_real_allocation_that_is_too_large_counts_as_a_lack_of_memory():
    class Greedy(torch.nn.Module):
        def forward(self, batch):
            return torch.empty(10**15)

    with pytest.raises(torch.OutOfMemoryError):
        EagerEngine(Greedy()).predict(windows(1))


def test_other_runtime_errors_are_not_taken_for_a_lack_of_memory():
    with pytest.raises(RuntimeError, match="a bug") as raised:
        EagerEngine(ShortOfMemory(room=0, error=RuntimeError("a bug"))).predict(windows(1))
    assert type(raised.value) is RuntimeError


def test_a_gpu_that_fails_is_a_sentence():
    error = torch.AcceleratorError("CUDA error: an illegal memory access was encountered\nCompile with ...")
    with pytest.raises(DeviceError, match="illegal memory access") as raised:
        EagerEngine(ShortOfMemory(room=0, error=error)).predict(windows(1))
    assert "CPU" in raised.value.advice


def test_a_batch_that_overflows_in_half_precision_is_repeated_in_full():
    """A stand-in for the GPU: the CPU computes, and autocast to float16 overflows there as on a GPU."""
    network = torch.nn.Linear(4, 4, bias=False)
    torch.nn.init.constant_(network.weight, 300.0)
    engine = EagerEngine(network, device=Device("cpu:0", "the CPU in the part of a GPU"))
    cuts = np.full((1, 1, 4, 4, 4), 100.0, np.float32)
    assert not torch.isfinite(engine.forward(torch.from_numpy(cuts), half=True)).all()
    torch.testing.assert_close(engine.predict(cuts), torch.full((1, 1, 4, 4, 4), 120000.0))
