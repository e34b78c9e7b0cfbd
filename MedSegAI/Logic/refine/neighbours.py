"""Which voxels touch, and how alike they look: the graph that every method works on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Pairs of voxels with a common face, at least one of them free.

    Args:
        first: Flat indices into the box, intp (n).
        second: The neighbour of each, intp (n).
        length_mm: Distance of their centres in mm, float (n).
        likeness: 0 to 1, float (n): 1 for equal brightness, falling with the difference, times the size of the common
            face over the distance, relative to a cube's of the same volume.
        step: Difference of their brightness, relative to the root mean square of all pairs, float (n).
    """

    first: np.ndarray
    second: np.ndarray
    length_mm: np.ndarray
    likeness: np.ndarray
    step: np.ndarray


def neighbours(image: np.ndarray, free: np.ndarray, *, spacing_kji: tuple[float, float, float]) -> Neighbours:
    """All pairs of face neighbours of which one is free.

    Args:
        image: Voxels (k, j, i), any real dtype.
        free: bool (k, j, i).
        spacing_kji: Spacing in mm along k, j, i.
    """
    flat = np.arange(image.size).reshape(image.shape)
    values = image.astype(float)
    parts = []
    side = float(np.prod(spacing_kji)) ** (1 / 3)
    for axis, spacing in enumerate(spacing_kji):
        one, other = _shifted(axis)
        wanted = free[one] | free[other]
        difference = np.abs(values[one] - values[other])[wanted]
        # Area of the face over the distance, in units of the cube's side.
        shape = np.full(difference.size, side**2 / spacing**2)
        parts.append((flat[one][wanted], flat[other][wanted], np.full(difference.size, spacing), shape, difference))
    first, second, length, shape, difference = (np.concatenate(column) for column in zip(*parts))
    mean_square = float(np.mean(difference**2)) if difference.size else 0.0
    step = difference / np.sqrt(mean_square) if mean_square > 0 else np.zeros(difference.size)
    return Neighbours(first, second, length, shape * np.exp(-0.5 * step**2), step)


def _shifted(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    one, other = [slice(None)] * 3, [slice(None)] * 3
    one[axis], other[axis] = slice(None, -1), slice(1, None)
    return tuple(one), tuple(other)
