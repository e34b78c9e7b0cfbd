"""Where the windows of a sliding-window run lie, how they are cut out and how they are weighted."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from MedSegAI.Logic.errors import InputError

Start = tuple[int, int, int]

SIGMA_OF_WINDOW = 1 / 8
"""Standard deviation of the Gaussian weights as a fraction of the window's side (Isensee et al. 2021)."""

SMALLEST_WEIGHT = 1e-3
"""Floor of the Gaussian weights, of a maximum of about 1: far corners must not underflow in float32 sums."""

PREPARED_AT_ONCE_BYTES = 32 << 20
"""Of float32 voxels, where an image is prepared a few planes ahead of the windows."""


def window_starts(shape: Sequence[int], window: Sequence[int], *, overlap: float) -> list[Start]:
    """First voxels (k, j, i) of the windows that cover a volume, k slowest.

    Along each axis the windows are spaced evenly: the first starts at 0, the last ends at the far end, and the steps
    are equal to within a voxel and at most ``window * (1 - overlap)`` (Isensee et al. 2021, *nnU-Net*, Nature
    Methods 18).
    Where the volume is shorter than the window there is one window, centred on the volume: its start is then zero or
    negative, and :func:`cut_window` fills the voxels outside.

    Args:
        shape: The volume's extent (k, j, i) in voxels.
        window: The window's extent (k, j, i) in voxels.
        overlap: Smallest fraction of a window that it shares with its neighbour along an axis, 0 <= overlap < 1.

    Raises:
        InputError: for an overlap out of range or an extent below one voxel.
    """
    if not 0 <= overlap < 1:
        raise InputError(
            f"An overlap of {overlap} is not usable.", advice="Choose a value from 0 to below 1, such as 0.5."
        )
    if min(*shape, *window) < 1:
        raise InputError(
            f"A window of {tuple(window)} voxels cannot cover a volume of {tuple(shape)} voxels.",
            advice="Give both at least one voxel along each axis.",
        )
    return list(itertools.product(*(_starts_along(n, w, overlap) for n, w in zip(shape, window))))


def _starts_along(length: int, window: int, overlap: float) -> list[int]:
    if length <= window:
        return [-((window - length) // 2)]
    longest_step = max(window * (1 - overlap), 1.0)
    steps = math.ceil((length - window) / longest_step)
    return [round(index * (length - window) / steps) for index in range(steps + 1)]


def overlap_of_window(
    start: Sequence[int], window: Sequence[int], shape: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The voxels a window shares with a volume of ``shape``, as slices of the volume and as slices of the window."""
    low = [max(s, 0) for s in start]
    high = [min(s + w, n) for s, w, n in zip(start, window, shape)]
    in_volume = tuple(slice(a, b) for a, b in zip(low, high))
    in_window = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start))
    return in_volume, in_window


def cut_window(image: np.ndarray, start: Sequence[int], window: Sequence[int], *, fill: float = 0.0) -> np.ndarray:
    """One window of an image (c, k, j, i) as a float32 copy (c, *window); voxels outside the image become ``fill``.

    Only the window's voxels are read and converted, so ``image`` may be memory-mapped and of any real dtype.
    """
    in_volume, in_window = overlap_of_window(start, window, image.shape[1:])
    cut = np.full((image.shape[0], *window), fill, dtype=np.float32)
    cut[(slice(None), *in_window)] = image[(slice(None), *in_volume)]
    return cut


def gaussian_weights(window: Sequence[int]) -> np.ndarray:
    """Weights (k, j, i) float32 of a window's voxels when overlapping windows are averaged.

    A separable Gaussian about the window's centre with a standard deviation of an eighth of each side, not below
    :data:`SMALLEST_WEIGHT` so that every voxel counts; the values equal MONAI's ``compute_importance_map``.
    """
    weights = np.ones((), dtype=np.float32)
    for side in window:
        from_centre = np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)
        along = np.exp(-(from_centre**2) / np.float32(2 * (side * SIGMA_OF_WINDOW) ** 2))
        weights = weights[..., None] * along
    return np.maximum(weights, np.float32(SMALLEST_WEIGHT))


def planes_at_once(shape: Sequence[int]) -> int:
    """How many planes of an image (k, j, i) are prepared together, where it is prepared ahead of the windows."""
    return int(np.clip(PREPARED_AT_ONCE_BYTES // (shape[1] * shape[2] * 4), 1, shape[0]))
