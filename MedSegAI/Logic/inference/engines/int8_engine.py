"""The network in 8-bit numbers, as OpenVINO runs it on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.inference.engines.engine_cache import (
    drop_older_than,
    keep,
    place_for,
    processor_name,
)
from MedSegAI.Logic.inference.engines.int8_record import find_int8
from MedSegAI.Logic.inference.engines.openvino_engine import (
    OpenVinoEngine,
    cpu_properties,
    imported,
    reason_of,
    short_version,
)
from MedSegAI.Logic.inference.engines.quiet_openvino import without_telemetry
from MedSegAI.Logic.models.registry import Model, verify
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled

if TYPE_CHECKING:
    import openvino

    from MedSegAI.Logic.inference.engines.eager import EagerEngine


def open_for(model: Model, *, open_torch: Callable[[], EagerEngine], reporter: Reporter) -> OpenVinoEngine:
    """The engine of the 8-bit form that ``medsegai models quantise`` made of a model.

    Raises:
        ModelError: if there is none that fits the weights, or the weights are missing or tampered with.
    """
    verify(model)
    found = find_int8(model)
    openvino = without_telemetry("openvino")
    core, properties = openvino.Core(), cpu_properties()
    # Not only the record's digests: what is compiled depends on the machine and the version, too.
    depends_on = (metadata.version("openvino"), processor_name(), sorted(found.record.files_sha256.items()))
    place = place_for(model, "openvino-int8", depends_on=depends_on, ending=".network")
    compiled = imported(core, place, properties)
    if compiled is None:
        raise_if_cancelled(reporter)
        compiled = _compiled(found.graph_path)
        keep(place, compiled.export_model().getbuffer())
        drop_older_than(place)
    reporter.message(f"Computing in 8 bits: {found.record.sentence()}.")
    return _engine(compiled, open_torch)


def int8_engine(graph: Path, *, open_torch: Callable[[], EagerEngine]) -> OpenVinoEngine:
    """The engine of an 8-bit graph in a file, which nobody has measured yet.

    Raises:
        ModelError: if OpenVINO cannot take it.
    """
    return _engine(_compiled(graph), open_torch)


def _compiled(graph: Path) -> openvino.CompiledModel:
    openvino = without_telemetry("openvino")
    try:
        return openvino.Core().compile_model(str(graph), "CPU", cpu_properties())
    except RuntimeError as error:
        raise ModelError(
            f"OpenVINO cannot take the 8-bit model '{graph}': {reason_of(error)}.",
            advice="Choose the engine 'openvino'.",
        ) from error


def _engine(compiled: openvino.CompiledModel, open_torch: Callable[[], EagerEngine]) -> OpenVinoEngine:
    version = short_version(metadata.version("openvino"))
    return OpenVinoEngine(compiled, open_torch=open_torch, name=f"OpenVINO {version}, int8")
