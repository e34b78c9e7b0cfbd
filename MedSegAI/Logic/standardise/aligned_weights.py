"""Resampling between grids with parallel axes as three independent one-dimensional sums of weighted voxels.

Where the axes of two grids are parallel (after a permutation and flips), linear interpolation and the Gaussian before
it are both separable, so each target position along an axis is a weighted sum of a few neighbouring source positions
along one source axis, whatever the other two coordinates are.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.geometry import Shape
from MedSegAI.Logic.standardise.index_map import IndexMap

# How far, in source voxels, a target voxel may lie beside its line and the grids still count as parallel; the value
# found there is off by no more than this fraction of the step between two neighbouring voxels.
_BESIDE_THE_LINE = 3e-5
_ROUNDING = 1e-9
# SimpleITK's own choice for its discrete Gaussian: the part of it that may be cut off, and its most voxels.
_GAUSSIAN_CUT = 0.01
_GAUSSIAN_WIDEST = 99


@dataclass(frozen=True, eq=False)
class AxisWeights:
    """How positions along one target axis are made of positions along one source axis.

    Args:
        start: First target position that lies inside the source.
        first: int64 (n,), for each target position from ``start`` on that lies inside: the first source position used.
        weights: float32 (n, taps): weights of the source positions ``first``, ``first + 1``, ...; each row sums to 1.
    """

    start: int
    first: np.ndarray
    weights: np.ndarray

    @property
    def count(self) -> int:
        """Number of target positions inside the source."""
        return len(self.first)

    @property
    def inside(self) -> slice:
        """The target positions inside the source."""
        return slice(self.start, self.start + self.count)


@dataclass(frozen=True, eq=False)
class AlignedWeights:
    """All of a resampling between grids with parallel axes.

    Args:
        axes: Target axis ``a`` (array order k, j, i) runs along source axis ``axes[a]``.
        along: The weights along each source axis (k, j, i).
    """

    axes: tuple[int, int, int]
    along: tuple[AxisWeights, AxisWeights, AxisWeights]


def aligned_weights(
    index_map: IndexMap, source_shape: Shape, target_shape: Shape, variance: np.ndarray
) -> AlignedWeights | None:
    """The weights of a linear resampling, or None where the axes of the grids are not parallel.

    Args:
        index_map: From target voxels to source voxels.
        source_shape: (k, j, i).
        target_shape: (k, j, i).
        variance: Of the Gaussian before interpolation, along the source axes (i, j, k), in voxels squared; 0 for none.
    """
    matrix = index_map.matrix[:3, :3][::-1, ::-1]
    offset = index_map.matrix[:3, 3][::-1]
    # Along each source axis the target axis that moves furthest; the others must not move at all.
    travel = np.abs(matrix) * (np.array(target_shape) - 1).clip(1)
    runs = tuple(int(a) for a in np.abs(matrix).argmax(axis=1))
    beside = travel.copy()
    beside[range(3), runs] = 0
    if sorted(runs) != [0, 1, 2] or beside.sum(axis=1).max() > _BESIDE_THE_LINE:
        return None
    along = tuple(
        _axis_weights(
            matrix[axis, runs[axis]] * np.arange(target_shape[runs[axis]]) + offset[axis],
            source_shape[axis],
            float(variance[::-1][axis]),
        )
        for axis in range(3)
    )
    return AlignedWeights(tuple(runs.index(a) for a in range(3)), along)


def _axis_weights(places: np.ndarray, length: int, variance: float) -> AxisWeights:
    """Weights for target positions at ``places`` (evenly spaced, source voxels) of a source axis of ``length``."""
    # As SimpleITK: half a voxel outside is inside, at the lower end inclusive; there the edge voxel's value holds.
    low, high = -0.5 - _ROUNDING, length - 0.5 - _ROUNDING
    found = np.flatnonzero((places >= low) & (places < high))
    start = int(found[0]) if found.size else 0
    places = np.clip(places[found], 0, length - 1)
    base = np.minimum(np.floor(places).astype(np.int64), max(length - 2, 0))
    part = places - base
    gaussian = gaussian_kernel(variance)
    radius = len(gaussian) // 2
    spread = np.zeros((len(places), len(gaussian) + 1))
    spread[:, :-1] += (1 - part)[:, None] * gaussian
    spread[:, 1:] += part[:, None] * gaussian
    # What would reach beyond an end of the axis falls on the edge voxel, as if its value went on.
    reached = np.clip((base - radius)[:, None] + np.arange(spread.shape[1]), 0, length - 1)
    taps = min(spread.shape[1], length)
    first = np.clip(base - radius, 0, length - taps)
    weights = np.zeros((len(places), taps))
    np.add.at(weights, (np.arange(len(places))[:, None], reached - first[:, None]), spread)
    return AxisWeights(start, first, weights.astype(np.float32))


@functools.lru_cache(maxsize=64)
def gaussian_kernel(variance: float) -> np.ndarray:
    """The discrete Gaussian (Lindeberg, IEEE PAMI 1990) of this variance, as SimpleITK's ``DiscreteGaussian`` has it.

    Returns:
        float64 (2 r + 1,), sums to 1; only a 1 for a variance of 0.
    """
    if variance <= 0:
        return np.ones(1)
    from scipy.special import ive

    half = [float(ive(0, variance))]
    total = half[0]
    while total < 1 - _GAUSSIAN_CUT and len(half) <= _GAUSSIAN_WIDEST // 2:
        half.append(float(ive(len(half), variance)))
        total += 2 * half[-1]
    kernel = np.array(half[:0:-1] + half)
    return kernel / kernel.sum()
