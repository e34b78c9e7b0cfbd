"""Streaming sliding-window segmentation: labels leave plane by plane, so memory stays flat however deep the volume is.

Gaussian-weighted logits of overlapping windows are averaged (Isensee et al. 2021, *nnU-Net*, Nature Methods 18); with
equal window positions the labels are those of MONAI's ``sliding_window_inference(mode="gaussian")`` and an argmax.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.inference.decision import Decision, largest_of
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.label_confidence import WinningProbabilities
from MedSegAI.Logic.inference.plane_ring import Plane, PlaneRing
from MedSegAI.Logic.inference.windows import Start, cut_window, overlap_of_window, window_starts
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.settings import ConfidenceChoice

LARGEST_CLASS_COUNT = 256
_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False)
class StreamedLabels:
    """What a sliding-window run gives.

    Args:
        labels: (k, j, i) uint8, voxel by voxel as the image; the array passed in, where one was.
        confidence: (k, j, i) float16 in 0..1, or None: the softmax of the weighted mean of the windows' logits, at the
            label that won; 1 where every window was skipped (background by rule).
        windows_run: Number of windows the network evaluated.
        windows_skipped: Number of windows passed over as pure background.
        probabilities: The same probabilities added up by label, where they were asked for per label; else None.
    """

    labels: np.ndarray
    confidence: np.ndarray | None
    windows_run: int
    windows_skipped: int
    probabilities: WinningProbabilities | None = None


def segment_array(
    image: np.ndarray,
    engine: Engine,
    *,
    window: Sequence[int],
    overlap: float,
    classes: int,
    reporter: Reporter,
    confidence: ConfidenceChoice = ConfidenceChoice.NONE,
    batch: int = 1,
    fill: float = 0.0,
    skip_below: float | None = None,
    normalise: Callable[[np.ndarray], np.ndarray] | None = None,
    labels_out: np.ndarray | None = None,
    confidence_out: np.ndarray | None = None,
    decision: Decision | None = None,
    watch: Callable[[int, np.ndarray], None] | None = None,
    finished: Callable[[int], None] | None = None,
) -> StreamedLabels:
    """Segment an image window by window.

    Args:
        image: (channels, k, j, i) in model space, any real dtype, may be memory-mapped; converted window by window.
        engine: The network.
        window: Extent (k, j, i) of a window in voxels.
        overlap: Smallest fraction that neighbouring windows share, 0 <= overlap < 1.
        classes: Number of the network's output channels, background included; at most 256.
        reporter: Told done/total after each window; asked between windows whether to stop.
        confidence: Whether to keep the probability of the label that won, as a map or added up by label.
        batch: Number of windows evaluated together.
        fill: Value, in the image's unit, of voxels outside the image where it is smaller than the window.
        skip_below: Windows none of whose voxels exceed this value, in the image's unit, are not evaluated; where no
            evaluated window reaches, the label is 0.
        normalise: Applied to each window (channels, k, j, i) float32 before the network; must be voxel-wise.
        labels_out: Array-like (k, j, i) uint8 to write to, such as ``np.memmap``; allocated where None.
        confidence_out: As ``labels_out`` in float16.
        decision: How logits become labels and probabilities; None takes the largest, and the softmax.
        watch: Is shown each finished plane: its k and the mean logits (classes, j, i) float32, valid until it returns.
        finished: Told, whenever planes are finished, below which k all have their labels, and at the end the depth.

    Raises:
        InputError: if the image holds NaN or infinity, or the overlap or window is not usable.
        ModelError: if the logits are not finite or not of the promised shape.
        DeviceError: if the device's memory does not suffice even after every fallback.
        Cancelled: if the user asked to stop.
    """
    _refuse_nonsense(image, classes, batch)
    shape = image.shape[1:]
    starts = window_starts(shape, window, overlap=overlap)
    sink = _PlaneSink(shape, confidence, labels_out, confidence_out, decision, watch, finished)
    ring = _with_fallbacks(
        lambda: PlaneRing(
            shape, window, channels=classes, keep_weights=sink.wants_weights, device=engine.logits_device
        ),
        engine,
        reporter,
    )
    run = _Run(image, engine, ring, tuple(window), classes, reporter, fill, skip_below, normalise)
    done = 0
    for group in run.groups(starts, batch):
        for start, logits in run.evaluate(group):
            sink.write_below(start[0], ring)
            if logits is not None:
                ring.add(start, logits)
            done += 1
            reporter.progress(done, len(starts), "segmenting")
    sink.write_below(shape[0], ring)
    skipped = len(starts) - run.windows_run
    return StreamedLabels(sink.labels, sink.confidence, run.windows_run, skipped, sink.probabilities)


def _refuse_nonsense(image: np.ndarray, classes: int, batch: int) -> None:
    if image.ndim != 4:
        raise InputError(
            f"An image of {image.ndim} axes cannot be segmented; channels, k, j, i are needed.",
            advice="Add an axis of channels in front of a single 3D volume.",
        )
    if not 1 <= classes <= LARGEST_CLASS_COUNT:
        raise ModelError(
            f"A model of {classes} classes does not fit an 8-bit label map.", advice="Use at most 255 labels."
        )
    if batch < 1:
        raise InputError(f"A batch of {batch} windows is not usable.", advice="Use 1 or more.")


def _with_fallbacks(
    action: Callable[[], _Result], engine: Engine, reporter: Reporter, ring: PlaneRing | None = None
) -> _Result:
    """Run ``action``; at each genuine lack of device memory, let the engine step down and try again."""
    while True:
        try:
            return action()
        except torch.OutOfMemoryError:
            pass
        # Outside the handler, so that the failed attempt's tensors, held by the traceback, are free by now.
        reporter.message(engine.step_down())
        if ring is not None:
            ring.move_to(engine.logits_device)


@dataclass(eq=False)
class _Run:
    image: np.ndarray
    engine: Engine
    ring: PlaneRing
    window: tuple[int, ...]
    classes: int
    reporter: Reporter
    fill: float
    skip_below: float | None
    normalise: Callable[[np.ndarray], np.ndarray] | None
    windows_run: int = 0

    def groups(self, starts: list[Start], batch: int) -> Iterator[list[tuple[Start, np.ndarray | None]]]:
        """Windows in order, cut out (None where skipped), with ``batch`` windows to evaluate in each group."""
        group: list[tuple[Start, np.ndarray | None]] = []
        waiting = 0
        for start in starts:
            cut = self._cut(start)
            group.append((start, cut))
            waiting += cut is not None
            # A lone skipped window need not wait for the batch to fill; progress and cancel then stay fluent.
            if waiting in (0, batch):
                yield group
                group, waiting = [], 0
        if group:
            yield group

    def evaluate(self, group: list[tuple[Start, np.ndarray | None]]) -> Iterator[tuple[Start, Tensor | None]]:
        """The logits (classes, *window) of each window of a group, None where it was skipped."""
        raise_if_cancelled(self.reporter)
        cuts = [cut for _, cut in group if cut is not None]
        if not cuts:
            yield from ((start, None) for start, _ in group)
            return
        batch = np.stack(cuts)
        predicted = _with_fallbacks(lambda: self.engine.predict(batch), self.engine, self.reporter, self.ring)
        logits = torch.as_tensor(predicted)
        self._check(logits, batch, [start for start, cut in group if cut is not None])
        self.windows_run += len(cuts)
        results = iter(logits)
        yield from ((start, None if cut is None else next(results)) for start, cut in group)

    def _cut(self, start: Start) -> np.ndarray | None:
        cut = cut_window(self.image, start, self.window, fill=self.fill)
        if self.skip_below is not None:
            inside = overlap_of_window(start, self.window, self.image.shape[1:])[1]
            if cut[(slice(None), *inside)].max() <= self.skip_below:
                return None
        return cut if self.normalise is None else np.asarray(self.normalise(cut), dtype=np.float32)

    def _check(self, logits: Tensor, batch: np.ndarray, starts: list[Start]) -> None:
        expected = (len(starts), self.classes, *self.window)
        if tuple(logits.shape) != expected:
            raise ModelError(
                f"The network gave logits of shape {tuple(logits.shape)}; its card promises {expected}.",
                advice="The model's card and weights do not belong together: install the model again.",
            )
        # A sum is NaN or infinite as soon as one term is, and needs no mask of the logits' size.
        if torch.isfinite(logits.sum()):
            return
        for start, cut, result in zip(starts, batch, logits):
            if not np.isfinite(cut).all():
                raise InputError(
                    f"The image holds NaN or infinite values near voxel (k, j, i) = {start}.",
                    advice="Replace them in the image, for instance by its background value.",
                )
            if not torch.isfinite(result).all():
                raise ModelError(
                    f"The network gave NaN or infinite logits in the window at voxel (k, j, i) = {start}.",
                    advice="Check the image's intensities and the model's file (medsegai models verify).",
                )


class _PlaneSink:
    """Turns finished planes of summed logits into labels and confidence."""

    def __init__(
        self,
        shape: tuple[int, ...],
        confidence: ConfidenceChoice,
        labels_out: np.ndarray | None,
        confidence_out: np.ndarray | None,
        decision: Decision | None,
        watch: Callable[[int, np.ndarray], None] | None,
        finished: Callable[[int], None] | None,
    ) -> None:
        self.decision, self.watch, self.finished = decision, watch, finished
        self.wants_weights = confidence is not ConfidenceChoice.NONE or decision is not None or watch is not None
        self.labels = _output(labels_out, shape, np.uint8)
        keep = confidence is ConfidenceChoice.PER_VOXEL
        self.confidence = _output(confidence_out, shape, np.float16) if keep else None
        self.probabilities = WinningProbabilities() if confidence is ConfidenceChoice.PER_LABEL else None

    def write_below(self, k: int, ring: PlaneRing) -> None:
        """Write what the planes below ``k`` decide that were not written yet."""
        written = 0
        for plane in ring.planes_below(k):
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
        if written and self.finished is not None:
            self.finished(k)

    def _probability(self, plane: Plane, chosen: Tensor) -> Tensor:
        if self.decision is None:
            return _winning_probability(plane)
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


def _winning_probability(plane: Plane) -> Tensor:
    """Largest softmax probability (j, i) of the mean logits; 1 where no window was evaluated."""
    mean = plane.mean
    largest = mean.amax(0)
    probability = 1 / (mean - largest).exp_().sum(0)
    return torch.where(plane.weight > 0, probability, 1.0)
