"""From an ONNX file to a TensorRT engine: the calls to TensorRT 10 and 11, in their order. Never built on a GPU.

The precision is that of the file: TensorRT 11 has no switches for float16 or int8 any more, and TensorRT 10 does the
same for a network that is created as strongly typed. int8 needs a file with explicit quantisation (QuantizeLinear and
DequantizeLinear); calibrators, which TensorRT 10 deprecates and 11 lacks, are not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from MedSegAI.Logic.errors import DependencyError, DeviceError, ModelError
from MedSegAI.Logic.export.onnx_check import INPUT

_FIRST_VERSION = 10
_WORKSPACE = 4 << 30


@dataclass(frozen=True)
class Batches:
    """Numbers of windows at once: the largest, and the one that the engine is tuned for; 1 is always the smallest."""

    best: int = 1
    largest: int = 4


@dataclass(frozen=True)
class BuiltEngine:
    """What a build gives: the engine as bytes, and what was timed for it, which makes the next build shorter."""

    plan: bytes
    timings: bytes


def build_engine(
    trt: ModuleType,
    onnx_file: bytes,
    *,
    window: Sequence[int],
    batches: Batches,
    timings: bytes = b"",
    workspace: int = _WORKSPACE,
) -> BuiltEngine:
    """Build an engine for windows of one size and a varying number of them.

    Args:
        trt: The module ``tensorrt``.
        onnx_file: An ONNX file's content; its input ``windows`` has an open batch.
        window: Of a window: (channels, k, j, i).
        batches: How many at once.
        timings: Of an earlier build on this GPU with this version; empty for none.
        workspace: Bytes of GPU memory that a layer may use while it computes.

    Raises:
        DependencyError: if TensorRT is too old.
        ModelError: if TensorRT cannot read the file or build an engine for it; with its own reasons.
    """
    _refuse_old(trt)
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(onnx_file):
        reasons = "; ".join(parser.get_error(index).desc() for index in range(parser.num_errors))
        raise ModelError(f"TensorRT cannot read the ONNX file: {reasons or 'it gives no reason'}.", advice=_OTHER)
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, workspace)
    if not config.set_timing_cache(config.create_timing_cache(timings), False):
        # Made by another version or on another GPU.
        config.set_timing_cache(config.create_timing_cache(b""), False)
    profile = builder.create_optimization_profile()
    sizes = [(batch, *window) for batch in (1, batches.best, batches.largest)]
    profile.set_shape(INPUT, *sizes)
    if config.add_optimization_profile(profile) < 0:
        raise ModelError(f"TensorRT does not take windows of the sizes {sizes}.", advice=_OTHER)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise ModelError("TensorRT could not build an engine for this model; its log says why.", advice=_OTHER)
    return BuiltEngine(bytes(plan), bytes(config.get_timing_cache().serialize()))


_OTHER = "Choose the engine 'torch'."


@dataclass(frozen=True)
class LoadedEngine:
    """An engine on the GPU. TensorRT frees what nobody holds, so runtime and engine are kept with the context."""

    runtime: Any
    engine: Any
    context: Any


def load_engine(trt: ModuleType, plan: bytes) -> LoadedEngine | None:
    """An engine from its bytes; None where another version, or another GPU, built it.

    Raises:
        DependencyError: if TensorRT is too old.
        DeviceError: if the GPU's memory does not suffice.
    """
    _refuse_old(trt)
    runtime = trt.Runtime(trt.Logger(trt.Logger.WARNING))
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        return None
    context = engine.create_execution_context()
    if context is None:
        raise DeviceError(
            "The GPU's memory does not suffice for the TensorRT engine.",
            advice="Close other programs that use the GPU, or choose the engine 'torch'.",
        )
    return LoadedEngine(runtime, engine, context)


def _refuse_old(trt: ModuleType) -> None:
    if int(trt.__version__.split(".")[0]) < _FIRST_VERSION:
        raise DependencyError(
            f"TensorRT {trt.__version__} is too old.", advice=f"Install TensorRT {_FIRST_VERSION} or newer."
        )
