"""Which operators an ONNX file holds, and which of them TensorRT cannot take."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx

_LIST = Path(__file__).with_name("tensorrt_operators.json")
_STANDARD = ("", "ai.onnx")


def operators_of(graph: onnx.ModelProto) -> dict[str, int]:
    """How often each operator occurs, functions of the file itself included; others' are named with their domain."""
    nodes = [*graph.graph.node, *(node for function in graph.functions for node in function.node)]
    own = {(function.domain, function.name) for function in graph.functions}
    names = (
        node.op_type if node.domain in _STANDARD else f"{node.domain}.{node.op_type}"
        for node in nodes
        if (node.domain, node.op_type) not in own
    )
    return dict(sorted(Counter(names).items()))


def unsupported_by_tensorrt(operators: Iterable[str]) -> tuple[str, ...]:
    """Those of the operators that TensorRT's ONNX parser does not list as supported, sorted."""
    return tuple(sorted(set(operators) - set(supported_by_tensorrt()["operators"])))


@functools.cache
def supported_by_tensorrt() -> dict[str, Any]:
    """The list: ``source`` in words, ``opsets`` (lowest, highest), ``operators``, and ``conditions`` on some."""
    return json.loads(_LIST.read_text(encoding="utf-8"))
