"""From finished planes of summed logits to labels and confidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.inference.decision import Decision, largest_of
from MedSegAI.Logic.inference.label_confidence import WinningProbabilities
from MedSegAI.Logic.inference.plane_ring import Plane
from MedSegAI.Logic.settings import ConfidenceChoice


class PlaneSink:
    """Turns finished planes of summed logits into labels and confidence.

    Args:
        shape: The volume's extent (k, j, i).
        confidence: What to keep of it.
        labels_out: As ``segment_array`` has it, and so the others.
        confidence_out: Where the confidence goes.
        decision: How logits become labels.
        watch: Is shown each plane.

    Raises:
        InputError: if an array to write to is of another shape or dtype.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        confidence: ConfidenceChoice,
        labels_out: np.ndarray | None,
        confidence_out: np.ndarray | None,
        decision: Decision | None,
        watch: Callable[[int, np.ndarray], None] | None,
    ) -> None:
        self.decision, self.watch = decision, watch
        self.wants_weights = confidence is not ConfidenceChoice.NONE or decision is not None or watch is not None
        self.labels = _output(labels_out, shape, np.uint8)
        keep = confidence is ConfidenceChoice.PER_VOXEL
        self.confidence = _output(confidence_out, shape, np.float16) if keep else None
        self.probabilities = WinningProbabilities() if confidence is ConfidenceChoice.PER_LABEL else None

    def write(self, planes: Iterable[Plane]) -> int:
        """Write what planes decide; tells how many they were."""
        written = 0
        for plane in planes:
            written += 1
            chosen = largest_of(plane.total) if self.decision is None else self.decision.labels(plane.mean)
            labels = chosen.cpu().numpy()
            self.labels[plane.k] = labels
            if self.confidence is not None:
                self.confidence[plane.k] = self._probability(plane, chosen).to(torch.float16).cpu().numpy()
            if self.probabilities is not None:
                self.probabilities.add(labels, self._probability(plane, chosen).cpu().numpy())
            if self.watch is not None:
                self.watch(plane.k, plane.mean.cpu().numpy())
        return written

    def _probability(self, plane: Plane, chosen: Tensor) -> Tensor:
        if self.decision is None:
            return winning_probability(plane)
        return torch.where(plane.weight > 0, self.decision.probability(plane.mean, chosen), 1.0)


def _output(given: np.ndarray | None, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    if given is None:
        return np.zeros(shape, dtype=dtype)
    if tuple(given.shape) != tuple(shape) or given.dtype != dtype:
        raise InputError(
            f"The array to write to is {given.dtype} of shape {tuple(given.shape)}; "
            f"{np.dtype(dtype)} of shape {tuple(shape)} is needed.",
            advice="Pass such an array, or none.",
        )
    return given


def winning_probability(plane: Plane) -> Tensor:
    """Largest softmax probability (j, i) of the mean logits; 1 where no window was evaluated."""
    mean = plane.mean
    largest = mean.amax(0)
    probability = 1 / (mean - largest).exp_().sum(0)
    return torch.where(plane.weight > 0, probability, 1.0)
