"""A model as an ONNX file for other programs: windows of the card's size, any number at once, checked before it stays.

The file takes windows prepared as the card says and gives logits; finding the region, preparing, the sliding window and
joining are not in it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.Logic.errors import InputError, ModelError, first_line
from MedSegAI.Logic.export.half_precision import halve_products
from MedSegAI.Logic.export.onnx_check import INPUT, OUTPUT, Parity, check_file
from MedSegAI.Logic.export.operators import operators_of, unsupported_by_tensorrt
from MedSegAI.Logic.export.packages import needed
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled

if TYPE_CHECKING:
    import onnx
    import torch

OPSET = 20
_LARGEST_BATCH = 1024
_BATCH_OF_THE_EXAMPLE = 2
"""Not 1, which an exporter takes for a size that never changes."""


class Precision(str, Enum):
    """Of the products inside; all else, input and output are float32."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"


@dataclass(frozen=True)
class OnnxExport:
    """A file that was written and checked.

    Args:
        path: Where it lies.
        operators: How often each operator occurs.
        unsupported: Those that TensorRT is not known to take.
        parity: How far it is from torch.
    """

    path: Path
    operators: dict[str, int]
    unsupported: tuple[str, ...]
    parity: Parity


def export_onnx(
    model: Model,
    path: Path,
    *,
    reporter: Reporter,
    batch: int | None = None,
    precision: Precision = Precision.FLOAT32,
) -> OnnxExport:
    """Write a model as an ONNX file of opset 20.

    Its input ``windows`` is (batch, channels, k, j, i) float32 with the card's window, its output ``logits`` (batch,
    classes, k, j, i) float32. The metadata holds name, version, digest of the weights, window, labels and licence.

    Args:
        model: The model; its weights are verified.
        path: Where the file goes; an older one is replaced once the new one is checked.
        reporter: Told what is done; may cancel between steps.
        batch: Windows at once; None leaves it open.
        precision: Of the numbers inside.

    Raises:
        InputError: for a batch below 1 or above 1024.
        ModelError: if the weights are damaged, the network cannot be exported, or the file differs from it.
        DependencyError: if a package is missing.
        StorageError: if the file cannot be written.
        Cancelled: if the user asked to stop.
    """
    if batch is not None and not 1 <= batch <= _LARGEST_BATCH:
        raise InputError(
            f"A batch of {batch} windows is not usable.", advice=f"Give 1 to {_LARGEST_BATCH}, or leave it open."
        )
    for package in ("onnx", "onnxscript", "onnxruntime"):
        needed(package)
    card, network = model.card, load_network(model)
    shape = (len(card.inputs), *card.window)
    reporter.message(f"Exporting '{card.title}': this takes some minutes for a network with many windows.")
    with write_beside(path) as temporary:
        _exported(network, shape, batch=batch).save(str(temporary))
        graph = _finished(temporary, card, precision)
        raise_if_cancelled(reporter)
        operators = operators_of(graph)
        parity = check_file(
            temporary,
            network,
            shape=shape,
            batches=(1, _BATCH_OF_THE_EXAMPLE) if batch is None else (batch,),
        )
    return OnnxExport(path, operators, unsupported_by_tensorrt(operators), parity)


def _exported(network: torch.nn.Module, shape: tuple[int, ...], *, batch: int | None) -> torch.onnx.ONNXProgram:
    import torch

    example = torch.linspace(-1, 1, steps=(batch or _BATCH_OF_THE_EXAMPLE) * math.prod(shape))
    example = example.view(-1, *shape)
    sizes = {} if batch is not None else {0: torch.export.Dim("batch", min=1, max=_LARGEST_BATCH)}
    try:
        with torch.no_grad(), _quiet():
            # An ordinary run first: what depends on the weights alone is then there to be kept as constants.
            network(example)
            program = torch.export.export(network, (example,), dynamic_shapes=(sizes,))
            return torch.onnx.export(
                program,
                dynamo=True,
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=[OUTPUT],
                optimize=True,
                verbose=False,
            )
    except (RuntimeError, torch.onnx.OnnxExporterError) as error:
        raise ModelError(
            f"The network cannot be exported to ONNX: {first_line(error)}.",
            advice="Networks with a conditional random field are not exported; others, please report.",
        ) from error


def _finished(path: Path, card: ModelCard, precision: Precision) -> onnx.ModelProto:
    """Bring the file to its precision and say in it what it is."""
    onnx = needed("onnx")
    graph = onnx.load(str(path))
    if precision is Precision.FLOAT16:
        halve_products(graph)
    graph.producer_name, graph.producer_version = "MedSegAI", ""
    graph.doc_string = card.description
    onnx.helper.set_model_props(
        graph,
        {
            "model": card.name,
            "version": card.version,
            "licence": card.licence,
            "weights_sha256": card.weights_sha256,
            "window": json.dumps(card.window),
            "spacing_mm": json.dumps(card.spacing_mm),
            "labels": json.dumps({label.value: label.key for label in card.labels}),
            "precision": precision.value,
        },
    )
    onnx.save(graph, str(path))
    return graph


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells of packages that have nothing to do with it."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
