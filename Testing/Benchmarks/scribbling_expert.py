"""An expert who knows the truth and draws one short stroke at a time, where the result is worst."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

HALF_LENGTH_MM = 3.0
HALF_WIDTH_MM = 1.0


def next_stroke(
    mask: np.ndarray, truth: np.ndarray, *, spacing_kji: tuple[float, float, float]
) -> tuple[np.ndarray, bool] | None:
    """A stroke of up to 6 x 2 mm in the largest error, and whether it is an inside one; None when all is right.

    The largest error is the connected one with the largest sum of depths; the slice is that, along any axis, in which
    its area is largest; the stroke runs through its deepest voxel there, along its longer axis, and stays inside it.
    """
    found = [largest_error(truth & ~mask, spacing_kji), largest_error(mask & ~truth, spacing_kji)]
    if not any(size for size, _ in found):
        return None
    inside = found[0][0] >= found[1][0]
    error = found[0][1] if inside else found[1][1]
    axis, index = widest_slice(error, spacing_kji)
    stroke = np.zeros_like(mask)
    plane = [slice(None)] * 3
    plane[axis] = index
    spacing = [s for a, s in enumerate(spacing_kji) if a != axis]
    stroke[tuple(plane)] = stroke_in_plane(error[tuple(plane)], spacing)
    return stroke, bool(inside)


def largest_error(error: np.ndarray, spacing_kji: tuple[float, float, float]) -> tuple[float, np.ndarray]:
    parts, count = ndimage.label(error)
    if not count:
        return 0.0, error
    depth = ndimage.distance_transform_edt(np.pad(error, 1), sampling=spacing_kji)[1:-1, 1:-1, 1:-1]
    sizes = ndimage.sum_labels(depth, parts, np.arange(1, count + 1))
    best = int(np.argmax(sizes))
    return float(sizes[best]), parts == best + 1


def widest_slice(error: np.ndarray, spacing_kji: tuple[float, float, float]) -> tuple[int, int]:
    best = (-1.0, 0, 0)
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        areas = error.sum(axis=others) * np.prod([spacing_kji[a] for a in others])
        index = int(np.argmax(areas))
        if areas[index] > best[0]:
            best = (float(areas[index]), axis, index)
    return best[1], best[2]


def stroke_in_plane(error: np.ndarray, spacing: list[float]) -> np.ndarray:
    depth = ndimage.distance_transform_edt(np.pad(error, 1), sampling=spacing)[1:-1, 1:-1]
    centre = np.array(np.unravel_index(np.argmax(depth), error.shape)) * spacing
    points = np.argwhere(error) * spacing
    axis = np.linalg.svd(points - points.mean(0), full_matrices=False)[2][0] if len(points) > 1 else np.array([1.0, 0])
    offset = np.moveaxis(np.indices(error.shape), 0, -1) * spacing - centre
    along = offset @ axis
    across = np.linalg.norm(offset - along[..., None] * axis, axis=-1)
    return error & (np.abs(along) <= HALF_LENGTH_MM) & (across <= HALF_WIDTH_MM)
