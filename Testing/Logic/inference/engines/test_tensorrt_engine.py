"""TensorRT's engine passes shapes and addresses rightly and is kept once built, on a stand-in: never built on a GPU."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from MedSegAI.Logic.errors import DependencyError, DeviceError, ModelError
from MedSegAI.Logic.export import onnx_export
from MedSegAI.Logic.export.onnx_check import Parity
from MedSegAI.Logic.export.tensorrt_builder import Batches
from MedSegAI.Logic.inference.device import CPU
from MedSegAI.Logic.inference.engines import tensorrt_engine
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, read_model
from MedSegAI.Logic.reporter import SilentReporter
from Testing.fake_tensorrt import FakeTensorRt

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
BATCHES = Batches(best=1, largest=2)


@pytest.fixture(autouse=True)
def a_cache_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEGAI_CACHE", str(tmp_path))


@pytest.fixture
def model():
    return read_model(SHIPPED_MODELS / "hippocampus-mr")


@pytest.fixture
def network():
    torch.manual_seed(0)
    return torch.nn.Conv3d(1, 3, 1).eval()


def as_onnx(network, window):
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    values = [
        helper.make_tensor_value_info(name, kind, ["batch", channels, *window])
        for name, channels in (("windows", 1), ("logits", 3))
    ]
    weights = [onnx.numpy_helper.from_array(part.detach().numpy(), name) for name, part in network.named_parameters()]
    node = helper.make_node("Conv", ["windows", "weight", "bias"], ["logits"])
    graph = helper.make_graph([node], "one convolution", *zip(values), initializer=weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", onnx_export.OPSET)], ir_version=10)


@pytest.fixture(autouse=True)
def a_quick_export(monkeypatch, network):
    """The shipped network takes minutes; here the file holds a single convolution."""

    def export(model, path, *, reporter, precision):
        assert precision is onnx_export.Precision.FLOAT16
        onnx.save(as_onnx(network, model.card.window), str(path))
        return onnx_export.OnnxExport(path, {"Conv": 1, "Odd": 1}, ("Odd",), Parity(1, 0.0, 1.0))

    monkeypatch.setattr(tensorrt_engine, "export_onnx", export)


def engine(model, network, trt, reporter=None):
    return tensorrt_engine.engine_on(
        CPU,
        model,
        trt=trt,
        open_torch=lambda: EagerEngine(network),
        reporter=reporter or SilentReporter(),
        batches=BATCHES,
    )


def windows(model, count):
    return np.random.default_rng(count).normal(size=(count, 1, *model.card.window)).astype(np.float32)


def test_it_gives_the_networks_logits_in_batches_that_it_was_built_for(model, network):
    trt = FakeTensorRt()
    reporter = SilentReporter()
    opened = engine(model, network, trt, reporter)
    assert isinstance(opened, Engine)
    cuts = windows(model, 5)
    logits = opened.predict(cuts)
    with torch.inference_mode():
        torch.testing.assert_close(logits, network(torch.from_numpy(cuts)), atol=1e-5, rtol=0)
    asked = [call for call in trt.calls if call.startswith("set_input_shape")]
    assert asked == [f"set_input_shape ({count}, 1, 32, 64, 32)" for count in (2, 2, 1)]
    assert (opened.name, opened.device_name, opened.logits_device) == ("TensorRT 10.15.1.29, float16", "cpu", "cpu")
    assert any("Odd" in sentence for sentence in reporter.messages)


def test_it_is_built_once_for_a_version_and_again_for_another(model, network):
    builds = []
    for version in ("10.15.1", "10.15.1", "11.4.1"):
        trt = FakeTensorRt(version)
        engine(model, network, trt)
        builds.append("build_serialized_network" in trt.calls)
    assert builds == [True, False, True]


def test_one_that_cannot_be_loaded_any_more_is_built_again(model, network, tmp_path):
    engine(model, network, FakeTensorRt())
    (kept,) = (tmp_path / "engines").glob("*.engine")
    kept.write_bytes(b"damaged")
    again = FakeTensorRt()
    engine(model, network, again)
    assert "build_serialized_network" in again.calls


def test_an_engine_that_tensorrt_cannot_load_is_said(model, network):
    with pytest.raises(ModelError, match="built itself"):
        engine(model, network, FakeTensorRt(refuse="load"))


@pytest.mark.parametrize(("refuse", "sentence"), [("shape", "was not built for"), ("run", "failed while computing")])
def test_failures_are_said(model, network, refuse, sentence):
    opened = engine(model, network, FakeTensorRt(refuse=refuse))
    with pytest.raises(DeviceError, match=sentence):
        opened.predict(windows(model, 1))


def test_without_memory_torch_goes_on(model, network):
    opened = engine(model, network, FakeTensorRt())
    sentence = opened.step_down()
    assert "going on with torch" in sentence
    assert opened.fallbacks == (sentence,)
    cuts = windows(model, 1)
    assert opened.predict(cuts).shape == (1, 3, *model.card.window)
    assert (opened.device_name, opened.logits_device) == ("cpu", "cpu")
    with pytest.raises(DeviceError, match="memory does not suffice"):
        opened.step_down()


def test_without_tensorrt_the_line_that_installs_it_is_said(model, network, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(DependencyError) as refused:
        tensorrt_engine.open_for(model, open_torch=lambda: EagerEngine(network), reporter=SilentReporter())
    assert "pip install tensorrt" in refused.value.advice


def test_without_a_gpu_it_is_refused(model, network, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorrt", FakeTensorRt())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="GPU cannot be used"):
        tensorrt_engine.open_for(model, open_torch=lambda: EagerEngine(network), reporter=SilentReporter())
