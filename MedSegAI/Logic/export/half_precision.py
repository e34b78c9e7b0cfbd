"""The products of an ONNX graph in float16, all else in float32: mixed precision, written into the file.

TensorRT takes precisions from the file since it no longer chooses them itself. Norms, softmax and sums stay in float32,
which they need; convolutions and matrix products, where the time goes, need float16 inputs only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.export.packages import needed

if TYPE_CHECKING:
    import onnx

PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_LARGEST = float(np.finfo(np.float16).max)


def halve_products(graph: onnx.ModelProto) -> None:
    """Let every convolution and matrix product of ``graph`` compute in float16; its inputs and outputs stay float32.

    Weights are stored as float16, once, where only products use them; what is beyond its range becomes its largest
    number.
    """
    onnx = needed("onnx")
    weights = {tensor.name: tensor for tensor in graph.graph.initializer}
    halved: dict[str, str] = {}
    nodes = []
    for node in graph.graph.node:
        if node.op_type not in PRODUCTS:
            nodes.append(node)
            continue
        for index, name in enumerate(node.input):
            if name not in halved:
                halved[name] = f"{name}.float16"
                if name in weights:
                    graph.graph.initializer.append(_as_float16(weights[name], halved[name]))
                else:
                    nodes.append(_cast(name, halved[name], onnx.TensorProto.FLOAT16))
            node.input[index] = halved[name]
        output = node.output[0]
        node.output[0] = f"{output}.product"
        nodes += [node, _cast(node.output[0], output, onnx.TensorProto.FLOAT)]
    del graph.graph.node[:], graph.graph.value_info[:]
    graph.graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.graph.initializer if tensor.name in used]
    del graph.graph.initializer[:]
    graph.graph.initializer.extend(kept)


def _cast(source: str, target: str, kind: int) -> onnx.NodeProto:
    return needed("onnx").helper.make_node("Cast", [source], [target], name=f"{target}.cast", to=kind)


def _as_float16(tensor: onnx.TensorProto, name: str) -> onnx.TensorProto:
    numpy_helper = needed("onnx.numpy_helper")
    values = np.clip(numpy_helper.to_array(tensor), -_LARGEST, _LARGEST)
    return numpy_helper.from_array(values.astype(np.float16), name)
