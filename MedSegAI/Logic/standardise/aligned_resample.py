"""Linear resampling between grids with parallel axes, several times faster than the general way."""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np

from MedSegAI.Logic.geometry import Shape
from MedSegAI.Logic.standardise.aligned_weights import AlignedWeights
from MedSegAI.Logic.standardise.rounding import rounded_to, write_rounded

_PLANES_WORTH_A_THREAD = 16
_MOST_THREADS = 8


def load_kernel() -> ModuleType | None:
    """The compiled loops, or None where numba is missing, does not fit numpy, or finds nowhere to keep its code."""
    try:
        from MedSegAI.Logic.standardise import aligned_kernel
    except (ImportError, RuntimeError):
        return None
    return aligned_kernel


def resample_aligned(
    array: np.ndarray,
    how: AlignedWeights,
    shape: Shape,
    *,
    kernel: ModuleType,
    background: float,
    dtype: np.dtype,
    threads: int,
) -> np.ndarray:
    """The array on a grid whose axes are parallel to its own.

    Each source plane is resampled within itself once, and the planes of the result are blended from the few that are
    near; so beside the result only a few planes are held.

    Args:
        array: Source voxels (k, j, i), any real dtype.
        how: The weights along each axis.
        shape: Of the result (k, j, i).
        kernel: As :func:`load_kernel` gives it.
        background: Value outside the source.
        dtype: Of the result; an integer dtype is rounded to.
        threads: How many may work at once.

    Returns:
        Voxels (k, j, i) of ``shape``, contiguous; the same bits for any number of threads.
    """
    # In the source's order of axes, so that memory is read and written in one go.
    turned = tuple(int(a) for a in np.argsort(how.axes))
    result = np.empty(tuple(shape[a] for a in turned), dtype)
    inside = tuple(along.inside for along in how.along)
    if min(along.count for along in how.along) == 0:
        result[...] = rounded_to(np.array(background), dtype)
    else:
        _fill_around(result, inside, rounded_to(np.array(background), dtype))
        _fill_inside(array, how, result[inside], kernel, threads)
    return np.ascontiguousarray(result.transpose(how.axes))


def worthwhile_threads() -> int:
    """How many threads a computation on planes may use: the cores this process has, or what OMP_NUM_THREADS says."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(int(asked) if asked.isdigit() and int(asked) > 0 else cores, _MOST_THREADS)


def _fill_around(result: np.ndarray, inside: tuple[slice, slice, slice], value: np.ndarray) -> None:
    """Write ``value`` wherever the result lies outside the source."""
    k, j, i = inside
    result[: k.start], result[k.stop :] = value, value
    result[k, : j.start], result[k, j.stop :] = value, value
    result[k, j, : i.start], result[k, j, i.stop :] = value, value


def _fill_inside(array: np.ndarray, how: AlignedWeights, out: np.ndarray, kernel: ModuleType, threads: int) -> None:
    parts = max(1, min(threads, len(out) // _PLANES_WORTH_A_THREAD))
    cuts = [len(out) * part // parts for part in range(parts + 1)]
    if parts == 1:
        _fill_planes(array, how, out, kernel, range(len(out)))
        return
    with ThreadPoolExecutor(parts) as pool:
        shares = [pool.submit(_fill_planes, array, how, out, kernel, range(a, b)) for a, b in itertools.pairwise(cuts)]
        for share in shares:
            share.result()


def _fill_planes(array: np.ndarray, how: AlignedWeights, out: np.ndarray, kernel: ModuleType, wanted: range) -> None:
    """Write the planes ``wanted`` of ``out``."""
    along, rows, columns = how.along
    row_weights, column_weights = (np.ascontiguousarray(axis.weights.T) for axis in (rows, columns))
    taps = along.weights.shape[1]
    near = np.empty((taps, *out.shape[1:]), np.float32)
    held = np.full(taps, -1)
    row, plane = np.empty(array.shape[2], np.float32), np.empty(array.shape[1:], np.float32)
    blended = np.empty(out.shape[1:], np.float32)
    for k in wanted:
        needed = along.first[k] + np.arange(taps)
        slots = needed % taps
        for source, slot in zip(needed, slots):
            if held[slot] != source:
                plane[...] = array[source]
                kernel.resample_plane(plane, rows.first, row_weights, columns.first, column_weights, row, near[slot])
                held[slot] = source
        if out.dtype == np.float32 and out[k].flags.c_contiguous:
            kernel.blend_planes(near, slots, along.weights[k], out[k])
        else:
            kernel.blend_planes(near, slots, along.weights[k], blended)
            write_rounded(blended, out[k])
