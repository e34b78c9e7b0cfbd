"""An ONNX file says what it is, gives what torch gives for any number of windows, and is kept only if it does."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from MedSegAI.Logic.errors import InputError, ModelError, StorageError
from MedSegAI.Logic.export.half_precision import PRODUCTS, halve_products
from MedSegAI.Logic.export.onnx_check import INPUT, OUTPUT, Tolerance, check_file
from MedSegAI.Logic.export.onnx_export import OPSET, export_onnx
from MedSegAI.Logic.export.operators import operators_of, supported_by_tensorrt, unsupported_by_tensorrt
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.reporter import SilentReporter

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


@pytest.fixture(scope="module")
def network(small_model):
    return load_network(small_model)


def shape_of(model):
    return (len(model.card.inputs), *model.card.window)


def value_types(graph):
    inferred = onnx.shape_inference.infer_shapes(graph).graph
    values = [*inferred.value_info, *inferred.input, *inferred.output]
    kinds = {value.name: value.type.tensor_type.elem_type for value in values}
    return kinds | {tensor.name: tensor.data_type for tensor in inferred.initializer}


def test_the_command_says_what_was_written_and_that_it_was_checked(exported):
    lines = exported.out.splitlines()
    assert lines[0] == f"Written: {exported.path} (ONNX, opset {OPSET})."
    assert lines[1].startswith("Takes any number of windows of 1 x 32 x 64 x 32 voxels")
    assert "100.00% of the labels are equal" in lines[2]
    assert lines[3].endswith("no engine was built from it yet.")


def test_the_file_says_what_it_is(exported, small_model):
    graph = onnx.load(str(exported.path))
    told = {entry.key: entry.value for entry in graph.metadata_props}
    card = small_model.card
    assert (told["model"], told["version"], told["licence"]) == (card.name, card.version, card.licence)
    assert told["weights_sha256"] == card.weights_sha256
    assert json.loads(told["window"]) == list(card.window)
    assert json.loads(told["labels"]) == {str(label.value): label.key for label in card.labels}
    assert [entry.version for entry in graph.opset_import if entry.domain == ""] == [OPSET]


@pytest.mark.parametrize("batch", [1, 3])
def test_it_gives_torchs_logits_for_any_number_of_windows(exported, small_model, network, batch):
    session = onnxruntime.InferenceSession(str(exported.path), providers=["CPUExecutionProvider"])
    windows = np.random.default_rng(batch).normal(size=(batch, *shape_of(small_model))).astype(np.float32)
    (logits,) = session.run([OUTPUT], {INPUT: windows})
    with torch.inference_mode():
        np.testing.assert_allclose(logits, network(torch.from_numpy(windows)).numpy(), atol=1e-4)


def test_all_its_operators_are_ones_that_tensorrt_lists(exported):
    operators = operators_of(onnx.load(str(exported.path)))
    assert {"Conv", "ConvTranspose", "MatMul", "Softmax", "LayerNormalization"} <= set(operators)
    assert unsupported_by_tensorrt(operators) == ()
    low, high = supported_by_tensorrt()["opsets"]
    assert low <= OPSET <= high


def test_operators_that_tensorrt_does_not_list_are_named():
    helper = onnx.helper
    nodes = [
        helper.make_node("Det", ["a"], ["b"]),
        helper.make_node("Relu", ["b"], ["c"]),
        helper.make_node("Relu", ["c"], ["d"]),
        helper.make_node("Fused", ["d"], ["e"], domain="com.example"),
    ]
    graph = helper.make_model(helper.make_graph(nodes, "strange", [], []))
    assert operators_of(graph) == {"Det": 1, "Relu": 2, "com.example.Fused": 1}
    assert unsupported_by_tensorrt(operators_of(graph)) == ("Det", "com.example.Fused")


def test_products_are_brought_to_float16_and_nothing_else(exported, small_model, network, tmp_path):
    graph = onnx.load(str(exported.path))
    before = operators_of(graph)
    halve_products(graph)
    onnx.save(graph, str(tmp_path / "half.onnx"))
    parity = check_file(tmp_path / "half.onnx", network, shape=shape_of(small_model), batches=(1,))
    assert parity.equal_labels == 1.0
    kinds = {tensor.name: tensor.data_type for tensor in graph.graph.initializer}
    products = [node for node in graph.graph.node if node.op_type in PRODUCTS]
    assert len(products) == sum(before[name] for name in PRODUCTS if name in before)
    assert all(
        kinds.get(name, onnx.TensorProto.FLOAT16) == onnx.TensorProto.FLOAT16 for n in products for name in n.input
    )
    assert (tmp_path / "half.onnx").stat().st_size < 0.8 * exported.path.stat().st_size


def test_a_file_that_differs_from_torch_is_refused_with_figures(exported, small_model, network):
    other = load_network(small_model)
    with torch.no_grad():
        other.out.conv.conv.bias += 1.0
    with pytest.raises(ModelError, match=r"differ by up to 1, and 100\.00% of the labels are equal"):
        check_file(exported.path, other, shape=shape_of(small_model), batches=(1,))
    never = Tolerance(largest_difference=float("nan"), equal_labels=0)
    with pytest.raises(ModelError, match="does not give what torch gives"):
        check_file(exported.path, network, shape=shape_of(small_model), batches=(1,), tolerance=never)


def test_a_file_that_is_none_or_cannot_be_run_is_refused(exported, small_model, network, tmp_path):
    (tmp_path / "none.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match="not a valid ONNX file"):
        check_file(tmp_path / "none.onnx", network, shape=(1, 4, 4, 4), batches=(1,))
    with pytest.raises(ModelError, match="cannot run it"):
        check_file(exported.path, network, shape=(2, *small_model.card.window), batches=(1,))


def test_what_cannot_be_written_is_said_before_the_work(small_model, tmp_path):
    for batch in (0, 99_999_999):
        with pytest.raises(InputError, match=f"batch of {batch}"):
            export_onnx(small_model, tmp_path / "file.onnx", reporter=SilentReporter(), batch=batch)
    with pytest.raises(StorageError, match="no folder"):
        export_onnx(small_model, tmp_path / "nowhere" / "file.onnx", reporter=SilentReporter())
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_cannot_be_exported_leaves_no_file(small_model, tmp_path, monkeypatch):
    """torch's exporter gives up on a network that asks for the values of its input."""

    class Undecided(torch.nn.Module):
        def forward(self, windows):
            return windows * 2 if windows.sum() > 0 else windows

    monkeypatch.setattr("MedSegAI.Logic.export.onnx_export.load_network", lambda model: Undecided().eval())
    with pytest.raises(ModelError, match="cannot be exported to ONNX"):
        export_onnx(small_model, tmp_path / "file.onnx", reporter=SilentReporter())
    assert list(tmp_path.iterdir()) == []
