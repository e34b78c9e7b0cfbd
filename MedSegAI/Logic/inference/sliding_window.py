"""Streaming sliding-window segmentation: labels leave plane by plane, so memory stays flat however deep the volume is.

Gaussian-weighted logits of overlapping windows are averaged (Isensee et al. 2021, *nnU-Net*, Nature Methods 18); with
equal window positions the labels are those of MONAI's ``sliding_window_inference(mode="gaussian")`` and an argmax.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.inference.beside_the_network import BesideTheNetwork
from MedSegAI.Logic.inference.decision import Decision
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.evaluated_windows import EvaluatedWindows, with_fallbacks
from MedSegAI.Logic.inference.label_confidence import WinningProbabilities
from MedSegAI.Logic.inference.plane_ring import PlaneRing
from MedSegAI.Logic.inference.plane_sink import PlaneSink
from MedSegAI.Logic.inference.window_source import ArrayWindows, WindowSource
from MedSegAI.Logic.inference.windows import window_starts
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.settings import ConfidenceChoice

LARGEST_CLASS_COUNT = 256


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
    image: np.ndarray | WindowSource,
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
        image: (channels, k, j, i) in model space, any real dtype, may be memory-mapped; converted window by window. Or
            what windows are cut out of.
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
    source = ArrayWindows(image) if isinstance(image, np.ndarray) else image
    _refuse_nonsense(source, classes, batch)
    shape = source.shape[1:]
    starts = window_starts(shape, window, overlap=overlap)
    sink = PlaneSink(shape, confidence, labels_out, confidence_out, decision, watch)
    ring = with_fallbacks(
        lambda: PlaneRing(
            shape, window, channels=classes, keep_weights=sink.wants_weights, device=engine.logits_device
        ),
        engine,
        reporter,
    )
    # What is watched must be told from the caller's own thread; on a GPU the threads would take turns on one queue.
    beside = watch is None and engine.logits_device == "cpu"
    with BesideTheNetwork(ring, sink, finished, own_thread=beside) as stitching:
        windows = EvaluatedWindows(
            source,
            engine,
            lambda: stitching.move_to(engine.logits_device),
            tuple(window),
            classes,
            reporter,
            fill,
            skip_below,
            normalise,
        )
        done = 0
        for group in stitching.one_ahead(windows.groups(starts, batch)):
            raise_if_cancelled(reporter)
            stitching.add(windows.evaluate(group))
            for _ in group:
                done += 1
                reporter.progress(done, len(starts), "segmenting")
        stitching.end()
    skipped = len(starts) - windows.windows_run
    return StreamedLabels(sink.labels, sink.confidence, windows.windows_run, skipped, sink.probabilities)


def _refuse_nonsense(image: WindowSource, classes: int, batch: int) -> None:
    if len(image.shape) != 4:
        raise InputError(
            f"An image of {len(image.shape)} axes cannot be segmented; channels, k, j, i are needed.",
            advice="Add an axis of channels in front of a single 3D volume.",
        )
    if not 1 <= classes <= LARGEST_CLASS_COUNT:
        raise ModelError(
            f"A model of {classes} classes does not fit an 8-bit label map.", advice="Use at most 255 labels."
        )
    if batch < 1:
        raise InputError(f"A batch of {batch} windows is not usable.", advice="Use 1 or more.")
