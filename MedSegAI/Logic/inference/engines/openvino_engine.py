"""The network as OpenVINO runs it on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from MedSegAI.Logic.errors import DeviceError, ModelError
from MedSegAI.Logic.inference.engines.engine_cache import (
    drop_older_than,
    keep,
    place_for,
    processor_name,
    read_kept,
)
from MedSegAI.Logic.inference.engines.quiet_openvino import without_telemetry
from MedSegAI.Logic.models.registry import Model, verify
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled

if TYPE_CHECKING:
    import openvino

    from MedSegAI.Logic.inference.engines.eager import EagerEngine

_MEMORY_SHORTAGES = ("bad_alloc", "out of memory", "can't allocate memory", "Cannot allocate memory", "out_of_memory")
_SECONDS_TOLD = "some seconds, the first time only"


class OpenVinoEngine:
    """A compiled network that computes one window after the other, with the threads that torch would use.

    When the memory does not suffice, :meth:`step_down` gives it up for the network in torch.

    Args:
        compiled: Takes one window (1, channels, k, j, i) float32 and gives its logits (1, classes, k, j, i) float32.
        open_torch: Opens the same model in torch; asked only when the memory does not suffice.
        name: What provenance records, such as "OpenVINO 2026.4, float32".
    """

    device_name = "cpu"
    logits_device = "cpu"

    def __init__(
        self,
        compiled: openvino.CompiledModel,
        *,
        open_torch: Callable[[], EagerEngine],
        name: str,
    ) -> None:
        self.name = name
        self._compiled: openvino.CompiledModel | None = compiled
        self._request: openvino.InferRequest | None = None
        self._open_torch = open_torch
        self._instead: EagerEngine | None = None
        self._told: tuple[str, ...] = ()

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """A sentence for each step down taken so far, in order."""
        return self._told + (() if self._instead is None else self._instead.fallbacks)

    def predict(self, windows: np.ndarray) -> Tensor | np.ndarray:
        """Logits (n, classes, k, j, i) float32 of windows (n, channels, k, j, i) float32.

        Raises:
            torch.OutOfMemoryError: if the memory does not suffice; :meth:`step_down` may help.
            DeviceError: if OpenVINO failed in another way.
        """
        if self._instead is not None:
            return self._instead.predict(windows)
        try:
            return self._infer(windows)
        except MemoryError as error:
            raise torch.OutOfMemoryError(str(error)) from error
        except RuntimeError as error:
            raise _translated(error) from error

    def step_down(self) -> str:
        """Go on with the network in torch, which needs less memory, and return a sentence that says so.

        Raises:
            DeviceError: when one window in torch is still too much.
        """
        if self._instead is not None:
            return self._instead.step_down()
        self._request = self._compiled = None
        self._instead = self._open_torch()
        sentence = "The memory does not suffice for OpenVINO: going on with torch."
        self._told = (sentence,)
        return sentence

    def _infer(self, windows: np.ndarray) -> np.ndarray:
        if self._request is None:
            self._request = self._compiled.create_infer_request()
        windows = np.ascontiguousarray(windows, dtype=np.float32)
        logits: np.ndarray | None = None
        for index in range(len(windows)):
            found = self._request.infer([windows[index : index + 1]], share_inputs=True, share_outputs=True)[0]
            # The request writes the next window over this one.
            if logits is None:
                logits = np.empty((len(windows), *found.shape[1:]), dtype=np.float32)
            logits[index] = found[0]
        return logits


def open_for(model: Model, *, open_torch: Callable[[], EagerEngine], reporter: Reporter) -> OpenVinoEngine:
    """The model's engine, from the user's cache folder where it was built before, else built and kept there.

    Raises:
        ModelError: if the weights are missing or tampered with, or OpenVINO cannot take the network.
    """
    verify(model)
    openvino = without_telemetry("openvino")
    version = metadata.version("openvino")
    core, properties, place = openvino.Core(), cpu_properties(), place_of_network(model)
    compiled = imported(core, place, properties)
    if compiled is None:
        reporter.message(f"Preparing the faster engine for '{model.card.title}': {_SECONDS_TOLD}.")
        raise_if_cancelled(reporter)
        compiled = _built(core, model, open_torch(), properties)
        keep(place, compiled.export_model().getbuffer())
        drop_older_than(place)
    return OpenVinoEngine(compiled, open_torch=open_torch, name=f"OpenVINO {short_version(version)}, float32")


def place_of_network(model: Model) -> Path:
    """Where the compiled network is kept."""
    depends_on = (metadata.version("openvino"), torch.__version__, processor_name(), "float32")
    return place_for(model, "openvino", depends_on=depends_on, ending=".network")


def cpu_properties() -> dict[str, Any]:
    """How a network is compiled: for the shortest time of one window, in float32, with the threads that torch uses."""
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "INFERENCE_PRECISION_HINT": "f32",
        # Several workers on one computer would all be pinned to the same cores.
        "ENABLE_CPU_PINNING": "NO",
    }


def imported(core: openvino.Core, place: Path, properties: dict[str, Any]) -> openvino.CompiledModel | None:
    """The compiled network that is kept in ``place``; None where there is none that this OpenVINO can use."""
    kept = read_kept(place)
    if kept is None:
        return None
    try:
        return core.import_model(bytes(kept), "CPU", properties)
    except RuntimeError:
        return None


def _built(
    core: openvino.Core, model: Model, engine: EagerEngine, properties: dict[str, Any]
) -> openvino.CompiledModel:
    from MedSegAI.Logic.inference.engines.openvino_graph import openvino_model

    card = model.card
    try:
        graph = openvino_model(engine.network, window=card.window, channels=len(card.inputs), batch=1)
        return core.compile_model(graph, "CPU", properties)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        translated = _translated(error)
        if isinstance(translated, torch.OutOfMemoryError):
            raise translated from error
        raise ModelError(
            f"OpenVINO cannot take the network of '{card.name}': {reason_of(error)}.",
            advice="Choose the engine 'torch'.",
        ) from error


def _translated(error: RuntimeError) -> Exception:
    if any(sign in str(error) for sign in _MEMORY_SHORTAGES):
        return torch.OutOfMemoryError(str(error))
    return DeviceError(
        f"OpenVINO failed while computing: {reason_of(error)}.", advice="Run again with the engine 'torch'."
    )


def reason_of(error: Exception) -> str:
    """Why OpenVINO failed, short enough for a sentence: before its last line come places in its own source."""
    lines = str(error).strip().splitlines()
    return (lines[-1] if lines else type(error).__name__).strip().rstrip(".")


def short_version(version: str) -> str:
    """Year and release of OpenVINO, without the number of the patch."""
    return ".".join(version.split(".")[:2])
