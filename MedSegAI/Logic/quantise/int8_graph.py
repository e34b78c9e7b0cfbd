"""A network's graph in 8-bit numbers: post-training quantisation by NNCF.

Jacob et al. 2018, *Quantization and training of neural networks for efficient integer-arithmetic-only inference*.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.errors import DependencyError, ModelError, first_line
from MedSegAI.Logic.inference.engines.quiet_openvino import without_telemetry

if TYPE_CHECKING:
    import openvino


def int8_graph(graph: openvino.Model, windows: Sequence[np.ndarray]) -> openvino.Model:
    """The graph with convolutions, linear layers and attention in 8 bits, their ranges as the windows need them.

    Args:
        graph: Of one window (1, channels, k, j, i) at once.
        windows: Each (channels, k, j, i) float32, prepared as for inference.

    Raises:
        DependencyError: if NNCF is not installed.
        ModelError: if it cannot take the graph.
    """
    try:
        nncf = without_telemetry("nncf")
    except ImportError as error:
        raise DependencyError(
            "8-bit models are made with the package nncf, which is not installed.",
            advice="Install it: pip install nncf openvino",
        ) from error
    calibration = nncf.Dataset([window[None] for window in windows])
    with _quiet():
        try:
            # With convolutions alone in 8 bits, Dice was no higher and the time 7% longer; NNCF's settings for
            # transformers made neither better.
            return nncf.quantize(graph, calibration, subset_size=len(windows))
        except (RuntimeError, ValueError, nncf.InternalError) as error:
            raise ModelError(
                f"The network cannot be brought into 8 bits: {first_line(error)}.",
                advice="Go on with the engine 'openvino'.",
            ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """NNCF draws bars on standard output, where a command prints its answer."""
    logger = logging.getLogger("nncf")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
