"""Voxels from one grid to another whose voxel centres coincide: a crop, pad, flip or permutation, copied exactly."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.geometry import Grid, Shape
from MedSegAI.Logic.standardise.index_map import IndexMap

_SAME_VOXEL = 0.01


@dataclass(frozen=True)
class Lattice:
    """How target indices map to source indices where lattices coincide, all in array order (k, j, i).

    Args:
        axes: Target axis ``a`` runs along source axis ``axes[a]``.
        signs: The step along it, 1 or -1.
        start: Where target voxel (0, 0, 0) lies, along each source axis.
    """

    axes: tuple[int, int, int]
    signs: tuple[int, int, int]
    start: tuple[int, int, int]

    def between_parts(self, *, source_start: Shape = (0, 0, 0), target_start: Shape = (0, 0, 0)) -> Lattice:
        """The same map for parts of both grids that begin at these voxels (k, j, i)."""
        start = np.array(self.start) - source_start
        for axis, sign, offset in zip(self.axes, self.signs, target_start):
            start[axis] += sign * offset
        return Lattice(self.axes, self.signs, tuple(int(v) for v in start))


def common_lattice(index_map: IndexMap, target: Grid) -> Lattice | None:
    """How two grids share their voxels: the map, where all centres coincide to a hundredth of a voxel, else None."""
    matrix = index_map.matrix
    steps = np.round(matrix[:3, :3])
    if not np.array_equal(np.abs(steps) @ np.ones(3), np.ones(3)) or not np.array_equal(steps @ steps.T, np.eye(3)):
        return None
    rounded = np.column_stack([steps, np.round(matrix[:3, 3])])
    corners = np.array([[*ends, 1] for ends in itertools.product(*((0, n - 1) for n in target.size))])
    if np.abs(corners @ (matrix[:3] - rounded).T).max() > _SAME_VOXEL:
        return None
    kji = steps[::-1, ::-1]
    axes = tuple(int(np.argmax(np.abs(kji[:, a]))) for a in range(3))
    signs = tuple(int(kji[axes[a], a]) for a in range(3))
    return Lattice(axes, signs, tuple(int(v) for v in rounded[::-1, 3]))


def copy_voxels(array: np.ndarray, lattice: Lattice, shape: Shape, background: float) -> np.ndarray:
    """The voxels (k, j, i) of a target of ``shape``: an exact copy, ``background`` outside.

    Returns:
        In the array's own dtype, or float32 where that cannot hold the background.
    """
    result = np.full(shape, background, dtype=dtype_that_holds(background, array.dtype))
    source, wanted = [slice(None)] * 3, [slice(None)] * 3
    for a, (axis, sign) in enumerate(zip(lattice.axes, lattice.signs)):
        first, last = lattice.start[axis], lattice.start[axis] + sign * (shape[a] - 1)
        skip = max(0, -first if sign > 0 else first - (array.shape[axis] - 1))
        drop = max(0, last - (array.shape[axis] - 1) if sign > 0 else -last)
        count = shape[a] - skip - drop
        if count <= 0:
            return result
        wanted[a] = slice(skip, skip + count)
        start = first + sign * skip
        stop = start + sign * count
        source[axis] = slice(start, stop if stop >= 0 else None, sign)
    result[tuple(wanted)] = array[tuple(source)].transpose(lattice.axes)
    return result


def dtype_that_holds(value: float, dtype: np.dtype) -> np.dtype:
    """``dtype`` where it can hold the value, else float32."""
    with np.errstate(invalid="ignore", over="ignore"):
        return dtype if float(np.float64(value).astype(dtype)) == value else np.dtype(np.float32)
