"""The heat map of a volume of any size, window by window: planes leave as they are finished, as labels do.

The windows are those of the segmentation, and only those that hold the label are run. Their raw maps are averaged with
the segmentation's Gaussian weights. Nothing as large as the volume is held: sums live in a ring of planes, over the box
of the windows that are run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from MedSegAI.Logic.errors import LabelError
from MedSegAI.Logic.explain.grad_cam import ChannelWeights, explain_window
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.inference.plane_ring import PlaneRing
from MedSegAI.Logic.inference.window_source import ArrayWindows, WindowSource
from MedSegAI.Logic.inference.windows import Start, cut_window, overlap_of_window, window_starts
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled


@dataclass(frozen=True)
class HeatPlane:
    """A finished plane of the raw map.

    Args:
        k: Its index in the volume.
        place: Slices (j, i) of the volume that the values fill; the rest of the plane is 0.
        heat: (j, i) float32 of that place, not scaled.
    """

    k: int
    place: tuple[slice, slice]
    heat: np.ndarray


def explain_array(
    image: np.ndarray | WindowSource,
    mask: np.ndarray,
    network: nn.Module,
    *,
    label: int,
    layer: str,
    window: Sequence[int],
    overlap: float,
    reporter: Reporter,
    channel_weights: ChannelWeights = ChannelWeights.GRAD_CAM_PLUS_PLUS,
    fill: float = 0.0,
) -> np.ndarray:
    """The heat map of one label over an image, scaled once for the volume, so that windows stay comparable.

    Arguments and errors are those of :func:`heat_planes`.

    Returns:
        (k, j, i) float32, 0 to 1, 1 at the volume's strongest place; 0 where no window held the label. All 0 where
        nothing in the layer speaks for the label.
    """
    options = {"label": label, "layer": layer, "window": window, "overlap": overlap, "reporter": reporter}
    heat = np.zeros(image.shape[1:], dtype=np.float32)
    for plane in heat_planes(image, mask, network, channel_weights=channel_weights, fill=fill, **options):
        heat[(plane.k, *plane.place)] = plane.heat
    strongest = float(heat.max())
    return np.divide(heat, strongest, out=heat) if strongest > 0 else heat


def heat_planes(
    image: np.ndarray | WindowSource,
    mask: np.ndarray,
    network: nn.Module,
    *,
    label: int,
    layer: str,
    window: Sequence[int],
    overlap: float,
    reporter: Reporter,
    channel_weights: ChannelWeights = ChannelWeights.GRAD_CAM_PLUS_PLUS,
    fill: float = 0.0,
) -> Iterator[HeatPlane]:
    """The raw map of one label over an image of any size, plane by plane in ascending order.

    Planes that no window with the label reaches are left out: they are 0.

    Args:
        image: (channels, k, j, i) in model space, normalised; may be memory-mapped. Or what windows are cut out of.
        mask: (k, j, i) bool: the voxels whose logits are explained, usually the label as it was segmented.
        network: Gives logits (n, classes, k, j, i); it is left as it was, on the device it is on.
        label: The network's class, 1 for the first label.
        layer: Name of a layer, as ``network.named_modules()`` has it.
        window: Extent (k, j, i) of a window in voxels.
        overlap: Smallest fraction that neighbouring windows share, 0 <= overlap < 1.
        reporter: Told done/total after each window; asked between windows whether to stop.
        channel_weights: Grad-CAM++, or plain Grad-CAM.
        fill: Value of voxels outside an image that is smaller than the window.

    Raises:
        LabelError: if the mask is empty.
        ModelError: if there is no such layer, or it does not give feature maps.
        Cancelled: if the user asked to stop.
    """
    source = ArrayWindows(image) if isinstance(image, np.ndarray) else image
    shape = source.shape[1:]
    starts = windows_that_hold(mask, window, overlap=overlap)
    if not starts:
        raise LabelError(
            "There is nothing to explain: the segmentation has no voxel of this label.",
            advice="Choose a label that was found.",
        )
    box = _box_of_windows(starts, window, shape)
    ring = PlaneRing(box.shape, window, channels=1, keep_weights=True)
    for done, start in enumerate(starts, start=1):
        raise_if_cancelled(reporter)
        within = tuple(s - low for s, low in zip(start, box.start))
        yield from _finished(ring, within[0], box)
        local = source.cut(start, window, fill=fill)
        inside = cut_window(mask[None], start, window)[0] > 0
        raw = explain_window(network, local, inside, label=label, layer=layer, channel_weights=channel_weights)
        ring.add(within, torch.from_numpy(raw)[None])
        reporter.progress(done, len(starts), "explaining")
    yield from _finished(ring, box.shape[0], box)


def windows_that_hold(mask: np.ndarray, window: Sequence[int], *, overlap: float) -> list[Start]:
    """First voxels (k, j, i) of those windows of a segmentation in which ``mask`` (k, j, i) bool is somewhere true."""
    starts = window_starts(mask.shape, window, overlap=overlap)
    held = Box.around(mask)
    if held is None:
        return []
    # Most windows of a large volume lie far from the mask, and are told from the box alone.
    near = (s for s in starts if all(a < b + w and b < c for a, b, w, c in zip(held.start, s, window, held.stop)))
    return [start for start in near if np.any(mask[overlap_of_window(start, window, mask.shape)[0]])]


def _box_of_windows(starts: Sequence[Start], window: Sequence[int], shape: Sequence[int]) -> Box:
    low = np.min(starts, axis=0)
    high = np.max(starts, axis=0) + np.array(window)
    return Box(tuple(map(int, low)), tuple(map(int, high))).clip(tuple(shape))


def _finished(ring: PlaneRing, k: int, box: Box) -> Iterator[HeatPlane]:
    """The planes below ``k`` of the ``box`` that the ring covers, in the volume's places."""
    for plane in ring.planes_below(k):
        yield HeatPlane(box.start[0] + plane.k, box.slices[1:], plane.mean[0].numpy())
