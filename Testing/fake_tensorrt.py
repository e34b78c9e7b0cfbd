"""A stand-in for the module ``tensorrt``, which cannot be installed here: strict, and it remembers every call.

It has what TensorRT 10 and 11 both document, and nothing else: whatever else is asked for is an AttributeError, and
arguments that the real module would refuse are refused. An "engine" is the ONNX file that was parsed; it is run by ONNX
Runtime on the memory whose addresses were given. What it proves is the order of the calls and the passing of shapes and
addresses. It says nothing about TensorRT's own speed, precision or ability to build an engine.
"""

from __future__ import annotations

import ctypes
import json

import numpy as np


class FakeTensorRt:
    """The module. ``refuse`` names what goes wrong: "parse", "profile", "build", "load", "memory", "shape", "run",
    "timings"."""

    def __init__(self, version: str = "10.15.1.29", *, refuse: str = "") -> None:
        self.__version__ = version
        self.calls: list[str] = []
        self._refuse = refuse
        self.Logger = _logger
        _logger.WARNING = 2
        self.NetworkDefinitionCreationFlag = _Names(STRONGLY_TYPED=1)
        self.MemoryPoolType = _Names(WORKSPACE="workspace")
        self.Builder = lambda logger: _Builder(self, logger)
        self.OnnxParser = lambda network, logger: _Parser(self, network, logger)
        self.Runtime = lambda logger: _Runtime(self, logger)

    def note(self, call: str) -> None:
        self.calls.append(call)

    def refuses(self, what: str) -> bool:
        return self._refuse == what


class _Names:
    def __init__(self, **names: object) -> None:
        self.__dict__.update(names)


class _Logger:
    def __init__(self, severity: int) -> None:
        assert severity == 2


def _logger(severity: int) -> _Logger:
    return _Logger(severity)


class _Network:
    def __init__(self) -> None:
        self.content: bytes | None = None


class _Builder:
    def __init__(self, trt: FakeTensorRt, logger: _Logger) -> None:
        assert isinstance(logger, _Logger)
        self._trt = trt
        trt.note("Builder")

    def create_network(self, flags: int) -> _Network:
        assert flags == 1 << 1, "the network must be strongly typed"
        self._trt.note("create_network")
        return _Network()

    def create_builder_config(self) -> _Config:
        self._trt.note("create_builder_config")
        return _Config(self._trt)

    def create_optimization_profile(self) -> _Profile:
        self._trt.note("create_optimization_profile")
        return _Profile()

    def build_serialized_network(self, network: _Network, config: _Config) -> memoryview | None:
        self._trt.note("build_serialized_network")
        assert network.content is not None, "nothing was parsed"
        assert config.profiles, "an open batch needs a profile"
        if self._trt.refuses("build"):
            return None
        config.timings.content += b" timed"
        shapes = json.dumps(config.profiles[0].shapes).encode()
        return memoryview(shapes + b"\n" + network.content)


class _Error:
    def __init__(self, text: str) -> None:
        self._text = text

    def desc(self) -> str:
        return self._text


class _Parser:
    def __init__(self, trt: FakeTensorRt, network: _Network, logger: _Logger) -> None:
        assert isinstance(network, _Network)
        self._trt, self._network, self.num_errors = trt, network, 0
        trt.note("OnnxParser")

    def parse(self, content: bytes) -> bool:
        import onnx

        self._trt.note("parse")
        assert isinstance(content, bytes)
        if self._trt.refuses("parse"):
            self.num_errors = 2
            return False
        onnx.load_model_from_string(content)
        self._network.content = content
        return True

    def get_error(self, index: int) -> _Error:
        assert 0 <= index < self.num_errors
        return _Error(f"In node {index}: unsupported")


class _Profile:
    def __init__(self) -> None:
        self.shapes: dict[str, list[tuple[int, ...]]] = {}

    def set_shape(self, name: str, smallest: tuple, best: tuple, largest: tuple) -> None:
        assert all(low <= middle <= high for low, middle, high in zip(smallest, best, largest, strict=True))
        self.shapes[name] = [smallest, best, largest]


class _Timings:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def serialize(self) -> memoryview:
        return memoryview(self.content)


class _Config:
    def __init__(self, trt: FakeTensorRt) -> None:
        self._trt = trt
        self.profiles: list[_Profile] = []
        self.timings = _Timings(b"")

    def set_memory_pool_limit(self, pool: str, size: int) -> None:
        assert pool == "workspace"
        assert size > 0
        self._trt.note("set_memory_pool_limit")

    def create_timing_cache(self, content: bytes) -> _Timings:
        assert isinstance(content, bytes)
        self._trt.note(f"create_timing_cache {content!r}")
        return _Timings(content)

    def set_timing_cache(self, cache: _Timings, ignore_mismatch: bool) -> bool:
        self._trt.note("set_timing_cache")
        if cache.content and self._trt.refuses("timings"):
            return False
        self.timings = cache
        return True

    def get_timing_cache(self) -> _Timings:
        return self.timings

    def add_optimization_profile(self, profile: _Profile) -> int:
        self._trt.note("add_optimization_profile")
        if self._trt.refuses("profile"):
            return -1
        self.profiles.append(profile)
        return len(self.profiles) - 1


class _Runtime:
    def __init__(self, trt: FakeTensorRt, logger: _Logger) -> None:
        assert isinstance(logger, _Logger)
        self._trt = trt
        trt.note("Runtime")

    def deserialize_cuda_engine(self, plan: bytes) -> _Engine | None:
        self._trt.note("deserialize_cuda_engine")
        assert isinstance(plan, bytes)
        return None if self._trt.refuses("load") else _Engine(self._trt, plan)


class _Engine:
    def __init__(self, trt: FakeTensorRt, plan: bytes) -> None:
        shapes, self.content = plan.split(b"\n", 1)
        self._trt, self.shapes = trt, json.loads(shapes)

    def create_execution_context(self) -> _Context | None:
        self._trt.note("create_execution_context")
        return None if self._trt.refuses("memory") else _Context(self._trt, self)


class _Context:
    def __init__(self, trt: FakeTensorRt, engine: _Engine) -> None:
        import onnxruntime

        self._trt, self._engine = trt, engine
        self._session = onnxruntime.InferenceSession(engine.content, providers=["CPUExecutionProvider"])
        self._shape: tuple[int, ...] | None = None
        self._addresses: dict[str, int] = {}

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self._trt.note(f"set_input_shape {shape}")
        smallest, _best, largest = self._engine.shapes[name]
        fits = all(low <= size <= high for low, size, high in zip(smallest, shape, largest, strict=True))
        if not fits or self._trt.refuses("shape"):
            return False
        self._shape = shape
        return True

    def set_tensor_address(self, name: str, address: int) -> None:
        assert isinstance(address, int)
        self._addresses[name] = address

    def execute_async_v3(self, stream_handle: int) -> bool:
        self._trt.note("execute_async_v3")
        assert isinstance(stream_handle, int)
        if self._trt.refuses("run"):
            return False
        windows = _at(self._addresses["windows"], self._shape)
        (logits,) = self._session.run(["logits"], {"windows": windows})
        _at(self._addresses["logits"], logits.shape)[...] = logits
        return True


def _at(address: int, shape: tuple[int, ...]) -> np.ndarray:
    """The float32 numbers in memory from ``address`` on."""
    numbers = (ctypes.c_float * int(np.prod(shape))).from_address(address)
    return np.frombuffer(numbers, dtype=np.float32).reshape(shape)
