"""The torch engine computes on the right device and steps down when memory is short, and only then."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSegAI.Logic.errors import DeviceError
from MedSegAI.Logic.explain.layers import activations_and_logits
from MedSegAI.Logic.inference.device import Device
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.sliding_window import segment_array
from MedSegAI.Logic.models.weights import build_network
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR
from MedSegAI.Logic.reporter import SilentReporter
from Testing.Logic.inference.fake_cuda import FakeCuda, Recorder, tensors_in
from Testing.Logic.inference.fake_gpu import FAKE_GPU, fake_gpu

GPU = Device(FAKE_GPU, "a GPU of fake tensors")
SMALL = {"feature_size": 12, "window_size": 4}


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


def test_the_network_stands_half_precision():
    """On the CPU's autocast, which casts the same operations to float16 as a GPU's."""
    torch.manual_seed(0)
    engine = EagerEngine(SwinUNETR(1, 3, feature_size=12, window_size=2))
    batch = torch.randn(1, 1, 32, 64, 32)
    full, half = engine.forward(batch), engine.forward(batch, half=True)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, full, atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("SwinUNETR", {"in_channels": 1, "out_channels": 3, **SMALL}),
        ("HybridSwinUNETR", {"in_channels": 1, "out_channels": 3, "feature_pyramid": "sum", **SMALL}),
        ("FusionSwinUNETR", {"in_channels": 1, "out_channels": 3, **SMALL}),
        ("ClickChannel", {"network": "SwinUNETR", "arguments": {"in_channels": 2, "out_channels": 3, **SMALL}}),
    ],
)
def test_networks_and_their_heat_maps_stay_on_the_gpu_and_never_wait_for_it(name: str, arguments: dict):
    """No tensor of the CPU comes in between and no number is read back: what a recorded CUDA graph forbids."""
    network = build_network(name, arguments).eval()
    layer = next(place for place, _ in network.named_modules() if place.endswith("decoder2"))
    with fake_gpu() as placeable:
        engine = EagerEngine(placeable(network), device=GPU)
        batch = torch.empty(1, 1, 32, 64, 32, device=FAKE_GPU)
        with Recorder() as recorder:
            logits = engine.forward(batch)
        features, explained = activations_and_logits(network, batch, layer=layer)
        (gradient,) = torch.autograd.grad(explained, features, torch.zeros_like(explained))
        assert {str(tensor.device) for tensor in (logits, features, explained, gradient)} == {FAKE_GPU}
        assert logits.shape == (1, 3, 32, 64, 32)
        assert engine.device_name == "a GPU of fake tensors"
    assert len(recorder.operations) > 100
    elsewhere = {
        (str(operation), tuple(tensor.shape))
        for operation, args, options, _ in recorder.operations
        for tensor in tensors_in((args, options))
        if tensor.device.type == "cpu" and tensor.ndim > 0
    }
    assert elsewhere == set()


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


class PretendedCuda(Device):
    """The CPU in the part of a CUDA GPU, with the streams and graphs of a double."""

    is_cuda = True


PRETENDED_CUDA = PretendedCuda("cpu:0", "the CPU in the part of a CUDA GPU", ("float16", "bfloat16"))


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> FakeCuda:
    return FakeCuda().install(monkeypatch)


def small_network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Conv3d(1, 2, 3, padding=1)


def test_on_cuda_windows_come_ahead_and_often_seen_shapes_are_replayed(cuda: FakeCuda):
    engine, expected = EagerEngine(small_network(), device=PRETENDED_CUDA), EagerEngine(small_network())
    batches = [windows(2) + number for number in range(6)]
    for batch, coming in zip(batches, [*batches[1:], None]):
        if coming is not None:
            engine.upload_ahead(coming)
        torch.testing.assert_close(engine.predict(batch), expected.predict(batch), atol=0.02, rtol=0.01)
    assert cuda.graphs[0].replays == 3
    assert engine.fallbacks == ()


def test_convolutions_are_laid_out_channels_last_on_a_gpu_and_keep_their_values(cuda: FakeCuda):
    engine, plain = EagerEngine(small_network(), device=PRETENDED_CUDA), small_network()
    weight = engine.network.weight
    assert weight.is_contiguous(memory_format=torch.channels_last_3d)
    torch.testing.assert_close(weight, plain.weight, atol=0, rtol=0)


def test_after_an_overflow_the_next_half_precision_is_taken_and_then_none(cuda: FakeCuda):
    network = torch.nn.Linear(4, 4, bias=False)
    torch.nn.init.constant_(network.weight, 300.0)
    engine = EagerEngine(network, device=PRETENDED_CUDA)
    too_large_for_float16 = np.full((1, 1, 4, 4, 4), 100.0, np.float32)
    too_large_for_both = np.full((1, 1, 4, 4, 4), 3e35, np.float32)
    computed: list[torch.dtype] = []
    network.register_forward_hook(lambda _module, _inputs, output: computed.append(output.dtype))
    for batch in (too_large_for_float16, too_large_for_float16, too_large_for_both, too_large_for_float16):
        engine.predict(batch)
    half, brain, full = torch.float16, torch.bfloat16, torch.float32
    assert computed == [half, full, brain, brain, full, full]


def test_a_graph_that_cannot_be_recorded_is_a_sentence_and_no_failure(cuda: FakeCuda):
    class ReadsBack(torch.nn.Module):
        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            return batch * float(batch.abs().max())

    engine = EagerEngine(ReadsBack(), device=PRETENDED_CUDA)
    for _ in range(6):
        engine.predict(windows(1))
    assert len(engine.fallbacks) == 1
    assert "could not record the network as a graph" in engine.fallbacks[0]


def test_recorded_graphs_are_the_first_thing_given_up_when_memory_is_short(cuda: FakeCuda):
    engine = EagerEngine(small_network(), device=PRETENDED_CUDA)
    for _ in range(4):
        engine.predict(windows(2))
    assert "without recorded graphs" in engine.step_down()
    assert "logits are summed" in engine.step_down()
    for _ in range(5):
        engine.predict(windows(2))
    assert len(cuda.graphs) == 1
    assert len(engine.fallbacks) == 2


def test_a_whole_run_on_cuda_uploads_each_batch_once_and_ahead(cuda: FakeCuda):
    image = np.random.default_rng(0).normal(size=(1, 4, 4, 32)).astype(np.float32)
    options = {"window": (4, 4, 4), "overlap": 0.0, "classes": 2, "reporter": SilentReporter()}
    engine = EagerEngine(ShortOfMemory(room=2), device=PRETENDED_CUDA)
    result = segment_array(image, engine, batch=2, **options)
    np.testing.assert_array_equal(result.labels, (image[0] > 0).astype(np.uint8))
    assert cuda.uploads == len(cuda.made_aside) == 4
