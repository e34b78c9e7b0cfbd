"""The network as TensorRT runs it on an NVIDIA GPU, products in float16. Only when asked for; never built on a GPU."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from MedSegAI.Logic.errors import DependencyError, DeviceError, ModelError
from MedSegAI.Logic.export.onnx_check import INPUT, OUTPUT
from MedSegAI.Logic.export.onnx_export import Precision, export_onnx
from MedSegAI.Logic.export.tensorrt_builder import Batches, LoadedEngine, build_engine, load_engine
from MedSegAI.Logic.inference.device import Device, choose_device
from MedSegAI.Logic.inference.engines.engine_cache import engine_cache_folder, keep, place_for, read_kept
from MedSegAI.Logic.models.registry import Model, verify
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.settings import DeviceChoice

if TYPE_CHECKING:
    from MedSegAI.Logic.inference.engines.eager import EagerEngine

BATCHES = Batches()


class TensorRtEngine:
    """A loaded engine that computes up to ``largest_batch`` windows at once.

    When the GPU's memory does not suffice, :meth:`step_down` gives it up for the network in torch.

    Args:
        loaded: The engine on the GPU.
        open_torch: Opens the same model in torch; asked only when the memory does not suffice.
        device: Where it computes.
        classes: Channels of the logits.
        largest_batch: The most windows that it was built for.
        version: Of TensorRT.
    """

    def __init__(
        self,
        loaded: LoadedEngine,
        *,
        open_torch: Callable[[], EagerEngine],
        device: Device,
        classes: int,
        largest_batch: int,
        version: str,
    ) -> None:
        self.name = f"TensorRT {version}, float16"
        self._loaded: LoadedEngine | None = loaded
        self._open_torch = open_torch
        self._device = device
        self._classes = classes
        self._largest_batch = largest_batch
        self._instead: EagerEngine | None = None
        self._told: tuple[str, ...] = ()

    @property
    def device_name(self) -> str:
        """The device as provenance records it."""
        return self._device.description if self._instead is None else self._instead.device_name

    @property
    def logits_device(self) -> str:
        """Torch device on which the logits are left."""
        return self._device.name if self._instead is None else self._instead.logits_device

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """A sentence for each step down taken so far, in order."""
        return self._told + (() if self._instead is None else self._instead.fallbacks)

    def predict(self, windows: np.ndarray) -> Tensor | np.ndarray:
        """Logits (n, classes, k, j, i) float32 on :attr:`logits_device` of windows (n, channels, k, j, i) float32.

        Raises:
            torch.OutOfMemoryError: if the GPU's memory does not suffice; :meth:`step_down` may help.
            DeviceError: if TensorRT failed in another way.
        """
        if self._instead is not None:
            return self._instead.predict(windows)
        parts = [
            self._evaluate(windows[start : start + self._largest_batch])
            for start in range(0, len(windows), self._largest_batch)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def step_down(self) -> str:
        """Go on with the network in torch, and return a sentence that says so.

        Raises:
            DeviceError: when torch has nothing to give up either.
        """
        if self._instead is not None:
            return self._instead.step_down()
        self._loaded = None
        self._instead = self._open_torch()
        sentence = "The GPU's memory does not suffice for TensorRT: going on with torch."
        self._told = (sentence,)
        return sentence

    def _evaluate(self, windows: np.ndarray) -> Tensor:
        batch = torch.as_tensor(np.ascontiguousarray(windows, dtype=np.float32), device=self._device.name)
        logits = torch.empty(
            (len(batch), self._classes, *batch.shape[2:]), dtype=torch.float32, device=self._device.name
        )
        context = self._loaded.context
        if not context.set_input_shape(INPUT, tuple(batch.shape)):
            raise DeviceError(
                f"The TensorRT engine was not built for windows of {tuple(batch.shape)}.",
                advice="Choose the engine 'torch'.",
            )
        context.set_tensor_address(INPUT, batch.data_ptr())
        context.set_tensor_address(OUTPUT, logits.data_ptr())
        # On torch's own stream, so that what torch does with the logits waits for them.
        if not context.execute_async_v3(stream_handle=_stream(self._device)):
            raise DeviceError("TensorRT failed while computing.", advice="Run again with the engine 'torch'.")
        return logits


def _stream(device: Device) -> int:
    return torch.cuda.current_stream(device.name).cuda_stream if device.is_gpu else 0


def open_for(model: Model, *, open_torch: Callable[[], EagerEngine], reporter: Reporter) -> TensorRtEngine:
    """The model's engine on the GPU, from the user's cache folder where it was built before, else built: minutes.

    Raises:
        DependencyError: if TensorRT is missing or too old.
        DeviceError: if no GPU can be used, or its memory does not suffice.
        ModelError: if the weights are damaged, or TensorRT cannot take the network.
        Cancelled: if the user asked to stop.
    """
    trt = _tensorrt()
    verify(model)
    device = choose_device(DeviceChoice.CUDA, reporter=reporter)
    return engine_on(device, model, trt=trt, open_torch=open_torch, reporter=reporter)


def engine_on(
    device: Device,
    model: Model,
    *,
    trt: ModuleType,
    open_torch: Callable[[], EagerEngine],
    reporter: Reporter,
    batches: Batches = BATCHES,
) -> TensorRtEngine:
    """:func:`open_for` with the module ``tensorrt`` and the device given."""
    gpu = (trt.__version__, torch.version.cuda, device.description, _capability(device))
    place = place_for(model, "tensorrt", depends_on=(*gpu, "float16", batches), ending=".engine")
    kept = read_kept(place)
    loaded = None if kept is None else load_engine(trt, bytes(kept))
    if loaded is None:
        reporter.message(f"Building the TensorRT engine for '{model.card.title}': some minutes, the first time only.")
        plan = _built(trt, model, gpu, batches, reporter)
        keep(place, plan)
        loaded = load_engine(trt, plan)
    if loaded is None:
        raise ModelError(
            "TensorRT cannot load the engine that it built itself.",
            advice="Choose the engine 'torch', and report this.",
        )
    return TensorRtEngine(
        loaded,
        open_torch=open_torch,
        device=device,
        classes=model.card.class_count,
        largest_batch=batches.largest,
        version=trt.__version__,
    )


def _built(trt: ModuleType, model: Model, gpu: Sequence[object], batches: Batches, reporter: Reporter) -> bytes:
    card = model.card
    with tempfile.TemporaryDirectory() as folder:
        export = export_onnx(model, Path(folder) / "model.onnx", reporter=reporter, precision=Precision.FLOAT16)
        onnx_file = export.path.read_bytes()
    if export.unsupported:
        reporter.message(f"TensorRT is not known to take these operators: {', '.join(export.unsupported)}.")
    raise_if_cancelled(reporter)
    timings = engine_cache_folder() / _timings_name(gpu)
    built = build_engine(
        trt,
        onnx_file,
        window=(len(card.inputs), *card.window),
        batches=batches,
        timings=bytes(read_kept(timings) or b""),
    )
    keep(timings, built.timings)
    return built.plan


def _timings_name(gpu: Sequence[object]) -> str:
    words = "-".join(str(part) for part in gpu)
    return "".join(letter if letter.isalnum() or letter in ".-" else "-" for letter in words) + ".timings"


def _capability(device: Device) -> tuple[int, int] | None:
    return torch.cuda.get_device_capability(device.name) if device.is_gpu else None


def _tensorrt() -> ModuleType:
    try:
        import tensorrt
    except (ImportError, OSError) as error:
        raise DependencyError(
            "TensorRT is not installed, or cannot be loaded.",
            advice="Install it: pip install tensorrt onnx onnxscript onnxruntime; or choose the engine 'torch'.",
        ) from error
    return tensorrt
