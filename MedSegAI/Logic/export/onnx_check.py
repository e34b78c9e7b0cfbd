"""An ONNX file is given away only after it was run: the same logits and labels as torch's, in batches of any size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.errors import ModelError, first_line
from MedSegAI.Logic.export.packages import needed

if TYPE_CHECKING:
    import torch

INPUT, OUTPUT = "windows", "logits"


@dataclass(frozen=True)
class Parity:
    """How far a file run by ONNX Runtime is from torch.

    Args:
        windows: How many windows were compared.
        largest_difference: Of one logit of one voxel.
        equal_labels: Fraction of the voxels whose largest logit is the same class's.
    """

    windows: int
    largest_difference: float
    equal_labels: float


@dataclass(frozen=True)
class Tolerance:
    """What a file must keep to.

    Args:
        largest_difference: Of one logit, as a fraction of the largest logit's size, or of 1 where that is smaller.
        equal_labels: Smallest fraction of voxels with equal labels.
    """

    largest_difference: float
    equal_labels: float


SAME = Tolerance(1e-3, 0.999)
"""Also for products in float16: ONNX Runtime computes them in float32 on a CPU, so their rounding is not seen here."""


def check_file(
    path: Path, network: torch.nn.Module, *, shape: Sequence[int], batches: Sequence[int], tolerance: Tolerance = SAME
) -> Parity:
    """Run a file and the network on the same noise.

    Args:
        path: The ONNX file.
        network: In evaluation mode, on the CPU.
        shape: Of a window: (channels, k, j, i).
        batches: Windows at once, one comparison each.
        tolerance: What is allowed.

    Raises:
        ModelError: if it breaks the rules of ONNX, cannot be run, or differs too much; says by how much.
        DependencyError: if a package is missing.
    """
    import torch

    runtime = needed("onnxruntime")
    _obeys_the_rules(path)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4
    generator = np.random.default_rng(0)
    difference, size, equal, voxels = 0.0, 1.0, 0, 0
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for batch in batches:
            windows = generator.normal(size=(batch, *shape)).astype(np.float32)
            found = session.run([OUTPUT], {INPUT: windows})[0]
            with torch.inference_mode():
                wanted = network(torch.from_numpy(windows)).numpy()
            difference = float(np.maximum(difference, np.abs(found - wanted).max()))
            size = max(size, float(np.abs(wanted).max()))
            equal += int((found.argmax(axis=1) == wanted.argmax(axis=1)).sum())
            voxels += wanted[:, 0].size
    except Exception as error:
        # ONNX Runtime's own errors have no common class.
        if type(error).__module__.startswith(runtime.__name__):
            raise ModelError(
                f"The ONNX file was written, but ONNX Runtime cannot run it: {first_line(error)}.",
                advice="Nothing was kept. Please report this with the model's card.",
            ) from error
        raise
    parity = Parity(sum(batches), difference, equal / voxels)
    if not (difference <= tolerance.largest_difference * size and parity.equal_labels >= tolerance.equal_labels):
        raise ModelError(
            f"The ONNX file does not give what torch gives: logits of up to {size:.3g} differ by up to "
            f"{difference:.3g}, and {parity.equal_labels:.2%} of the labels are equal.",
            advice="Nothing was kept. Please report this with the model's card.",
        )
    return parity


def _obeys_the_rules(path: Path) -> None:
    onnx = needed("onnx")
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelError(
            f"What was written is not a valid ONNX file: {first_line(error)}.",
            advice="Nothing was kept. Please report this with the model's card.",
        ) from error
