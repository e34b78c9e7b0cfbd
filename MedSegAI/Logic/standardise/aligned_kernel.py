"""The two loops of resampling between aligned grids, compiled by numba when they are first used.

Import this file only through ``aligned_resample.load_kernel``: it needs numba, whose import takes a third of a second.
The compiled code is kept beside this file (or in the user's cache where that is read-only), so that later processes
only load it. All arrays are contiguous, so that each loop is compiled once.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"})
def resample_plane(
    plane: np.ndarray,
    first_row: np.ndarray,
    row_weights: np.ndarray,
    first_column: np.ndarray,
    column_weights: np.ndarray,
    row: np.ndarray,
    out: np.ndarray,
) -> None:
    """One plane at other rows and columns.

    Args:
        plane: float32 (j, i), contiguous.
        first_row: int64 (rows,): first source row of each target row.
        row_weights: float32 (taps, rows).
        first_column: int64 (columns,): first source column of each target column.
        column_weights: float32 (taps, columns).
        row: float32 (i,): working memory.
        out: float32 (rows, columns); written.
    """
    for j in range(out.shape[0]):
        a = first_row[j]
        weight, source = row_weights[0, j], plane[a]
        for i in range(row.shape[0]):
            row[i] = weight * source[i]
        for tap in range(1, row_weights.shape[0]):
            weight, source = row_weights[tap, j], plane[a + tap]
            for i in range(row.shape[0]):
                row[i] += weight * source[i]
        target = out[j]
        for i in range(target.shape[0]):
            target[i] = column_weights[0, i] * row[first_column[i]]
        for tap in range(1, column_weights.shape[0]):
            weights = column_weights[tap]
            for i in range(target.shape[0]):
                target[i] += weights[i] * row[first_column[i] + tap]


@njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"})
def blend_planes(planes: np.ndarray, slots: np.ndarray, weights: np.ndarray, out: np.ndarray) -> None:
    """A weighted sum of planes.

    Args:
        planes: float32 (n, rows, columns), contiguous.
        slots: int64 (taps,): which of them.
        weights: float32 (taps,).
        out: float32 (rows, columns); written.
    """
    for j in range(out.shape[0]):
        target = out[j]
        weight, source = weights[0], planes[slots[0], j]
        for i in range(target.shape[0]):
            target[i] = weight * source[i]
        for tap in range(1, slots.shape[0]):
            weight, source = weights[tap], planes[slots[tap], j]
            for i in range(target.shape[0]):
                target[i] += weight * source[i]
