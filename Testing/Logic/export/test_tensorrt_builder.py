"""The calls to TensorRT and what becomes of its refusals, on a stand-in: never built on a GPU."""

from __future__ import annotations

import json

import pytest

from MedSegAI.Logic.errors import DependencyError, DeviceError, ModelError
from MedSegAI.Logic.export.tensorrt_builder import Batches, build_engine, load_engine
from Testing.fake_tensorrt import FakeTensorRt

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
WINDOW = (1, 4, 4, 4)


@pytest.fixture
def a_file() -> bytes:
    """Doubles its input."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    values = [helper.make_tensor_value_info(name, kind, ["batch", *WINDOW]) for name in ("windows", "logits")]
    graph = helper.make_graph([helper.make_node("Add", ["windows", "windows"], ["logits"])], "double", *zip(values))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return made.SerializeToString()


def built(trt, content, **options):
    return build_engine(trt, content, window=WINDOW, batches=Batches(2, 4), **options)


@pytest.mark.parametrize("version", ["10.0.1", "10.15.1.29", "11.4.1"])
def test_an_engine_is_built_by_these_calls(a_file, version):
    trt = FakeTensorRt(version)
    engine = built(trt, a_file)
    assert trt.calls == [
        "Builder",
        "create_network",
        "OnnxParser",
        "parse",
        "create_builder_config",
        "set_memory_pool_limit",
        "create_timing_cache b''",
        "set_timing_cache",
        "create_optimization_profile",
        "add_optimization_profile",
        "build_serialized_network",
    ]
    shapes = json.loads(engine.plan.split(b"\n", 1)[0])
    assert shapes == {"windows": [[batch, *WINDOW] for batch in (1, 2, 4)]}
    assert engine.timings == b" timed"


def test_what_was_timed_before_is_used_again_unless_it_does_not_fit(a_file):
    trt = FakeTensorRt()
    assert built(trt, a_file, timings=b"earlier").timings == b"earlier timed"
    elsewhere = FakeTensorRt(refuse="timings")
    assert built(elsewhere, a_file, timings=b"earlier").timings == b" timed"


@pytest.mark.parametrize(
    ("refuse", "sentence"),
    [
        ("parse", "cannot read the ONNX file: In node 0: unsupported; In node 1: unsupported"),
        ("profile", "does not take windows of the sizes"),
        ("build", "could not build an engine"),
    ],
)
def test_what_tensorrt_refuses_is_said(a_file, refuse, sentence):
    with pytest.raises(ModelError, match=sentence):
        built(FakeTensorRt(refuse=refuse), a_file)


def test_an_old_version_is_refused(a_file):
    with pytest.raises(DependencyError, match=r"8\.6\.1 is too old"):
        built(FakeTensorRt("8.6.1"), a_file)


def test_an_engine_is_loaded_or_is_none_or_does_not_fit_into_memory(a_file):
    plan = built(FakeTensorRt(), a_file).plan
    trt = FakeTensorRt()
    assert load_engine(trt, plan).context is not None
    assert trt.calls == ["Runtime", "deserialize_cuda_engine", "create_execution_context"]
    assert load_engine(FakeTensorRt(refuse="load"), plan) is None
    with pytest.raises(DeviceError, match="memory does not suffice"):
        load_engine(FakeTensorRt(refuse="memory"), plan)


def test_the_stand_in_knows_nothing_that_is_gone_from_newer_versions():
    trt = FakeTensorRt()
    for gone in ("BuilderFlag", "IInt8EntropyCalibrator2", "volume", "nptype"):
        with pytest.raises(AttributeError):
            getattr(trt, gone)
