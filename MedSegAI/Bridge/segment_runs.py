"""The voxels of each segment as runs along i: what is counted, compared and located without a whole-scan array."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

import numpy as np
import slicer

from MedSegAI.Bridge.geometry import box_of
from MedSegAI.Bridge.segment_layers import layer_voxels
from MedSegAI.Logic.geometry import Box

T = TypeVar("T")

BINARY_LABELMAP = "Binary labelmap"

Steps = Generator[None, None, T]
"""Work in steps, between which a face may live on; what it gives comes with its end."""

_VOXELS_A_STEP = 1 << 24
"""Some hundredths of a second."""


def at_once(steps: Steps[T]) -> T:
    """Take all steps, and give what they give."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def segment_runs(node: slicer.vtkMRMLSegmentationNode) -> dict[str, np.ndarray]:
    """The voxels of every segment, in the index space of its layer; parent transforms are not applied.

    Only the layers' own cropped voxels are read, each layer once however many segments share it. Segments drawn as
    surfaces are turned into voxels.

    Returns:
        By segment ID, in Slicer's order: int32 (runs, 4) with k, j, first i, and i after the last; sorted and as
        long as they can be; (0, 4) for an empty segment.
    """
    return at_once(runs_in_steps(node))


def runs_in_steps(node: slicer.vtkMRMLSegmentationNode) -> Steps[dict[str, np.ndarray]]:
    """As :func:`segment_runs`, a large layer in several steps.

    Whoever changes the segments meanwhile gets the runs of before, of after, or some of each.
    """
    segmentation = node.GetSegmentation()
    if segmentation is None or segmentation.GetNumberOfSegments() == 0:
        return {}
    segmentation.CreateRepresentation(BINARY_LABELMAP)
    present = []
    for number in range(segmentation.GetNumberOfSegments()):
        key, segment = segmentation.GetNthSegmentID(number), segmentation.GetNthSegment(number)
        image, value = segment.GetRepresentation(BINARY_LABELMAP), segment.GetLabelValue()
        present.append((key, image, value, segmentation.GetLayerIndex(key)))
    layers: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    found = {}
    for key, image, value, layer in present:
        if image is None:
            found[key] = np.zeros((0, 4), np.int32)
            continue
        if layer not in layers:
            layers[layer] = yield from _runs_of_layer(image)
        runs, values = layers[layer]
        found[key] = runs[values == value]
    return found


def box_of_runs(runs: np.ndarray) -> Box | None:
    """The smallest box (k, j, i) around runs (n, 4), in their index space; None where there are none."""
    if len(runs) == 0:
        return None
    low, high = runs.min(axis=0), runs.max(axis=0)
    return Box(tuple(int(n) for n in low[:3]), (int(high[0]) + 1, int(high[1]) + 1, int(high[3])))


def _runs_of_layer(image: slicer.vtkOrientedImageData) -> Steps[tuple[np.ndarray, np.ndarray]]:
    """All runs of one non-zero value in a layer, int32 (runs, 4), and their values (runs,)."""
    voxels = layer_voxels(image)
    start = box_of(image).start
    runs, values = [np.zeros((0, 4), np.int32)], [np.zeros(0, voxels.dtype)]
    # Plane by plane, with a border of background, so that every run begins and ends inside one row.
    padded = np.zeros((voxels.shape[1], voxels.shape[2] + 2), voxels.dtype)
    planes_a_step = max(1, _VOXELS_A_STEP // max(1, padded.size))
    for k, plane in enumerate(voxels):
        if k and k % planes_a_step == 0:
            yield
        if not plane.any():
            continue
        padded[:, 1:-1] = plane
        edges = np.flatnonzero(padded[:, 1:] != padded[:, :-1])
        rows, columns = np.divmod(edges, padded.shape[1] - 1)
        value = padded[rows, columns + 1]
        begins = np.flatnonzero(value)
        ends = columns[begins + 1]
        of_plane = (np.full(begins.size, k), rows[begins], columns[begins], ends)
        runs.append(np.column_stack(of_plane).astype(np.int32) + np.array([*start, start[2]], np.int32))
        values.append(value[begins])
    return np.concatenate(runs), np.concatenate(values)
