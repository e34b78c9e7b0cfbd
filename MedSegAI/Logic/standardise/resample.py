"""Voxels from one grid to another: copied where the lattices coincide, interpolated where they do not."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from MedSegAI.Logic.geometry import Box, Grid, Triple, swap_lps_and_ras
from MedSegAI.Logic.volume import Volume

_SAME_VOXEL = 0.01
_SAME_SPACING = 0.01
_SHRINKS = 1.5


def canonical_grid(grid: Grid, *, spacing_mm: Triple | None = None) -> Grid:
    """The grid of the same block of the patient as a network wants it.

    Args:
        grid: Any grid, LPS mm.
        spacing_mm: Spacing (i, j, k) in mm of the new grid; None keeps each axis's own.

    Returns:
        A grid along the volume's own axes (never interpolated obliquely) with i nearest to Right, j nearest to
        Anterior and k nearest to Superior. An axis whose spacing is within 1% of the wanted one keeps its voxels; any
        other is covered completely, with the same centre.
    """
    order, signs = _nearest_ras_axes(grid)
    direction = grid.direction_matrix[:, order] * signs
    old_size = np.array(grid.size)[order]
    old_spacing = np.array(grid.spacing)[order]
    wanted = old_spacing if spacing_mm is None else np.asarray(spacing_mm, dtype=float)
    kept = np.abs(wanted / old_spacing - 1) < _SAME_SPACING
    spacing = np.where(kept, old_spacing, wanted)
    covering = np.ceil(old_size * old_spacing / spacing - _SAME_VOXEL)
    size = np.where(kept, old_size, np.maximum(1, covering)).astype(int)
    centre = grid.lps_of((np.array(grid.shape) - 1) / 2)
    origin = centre - direction @ (spacing * (size - 1) / 2)
    return Grid(tuple(size[::-1]), tuple(spacing), tuple(origin), tuple(direction.ravel()))


def resample(volume: Volume, grid: Grid, *, background: float | None = None) -> Volume:
    """The volume on another grid.

    Args:
        volume: Voxels (k, j, i) on an LPS grid.
        grid: Where the result's voxels lie, LPS mm.
        background: Value outside the volume; None takes the volume's smallest value.

    Returns:
        Where the two lattices coincide (a crop, pad, flip or permutation of axes, to a hundredth of a voxel) an exact
        copy in the volume's own dtype. Else float32 by linear interpolation, after a Gaussian that suppresses what a
        grid more than 1.5 times coarser cannot show (Cardoso et al., "Scale factor point spread function matching",
        MICCAI 2015). Half a voxel beyond the outermost voxel centres still counts as inside.
    """
    if background is None:
        background = float(volume.array.min())
    copied = _copy_where_lattices_coincide(volume, grid, background)
    if copied is not None:
        return replace(volume, array=copied, grid=grid)
    margin = _margin(volume.grid, grid)
    near = _box_covering(grid, volume.grid).grow(margin).clip(volume.grid.shape)
    if near.is_empty:
        array = np.full(grid.shape, background, dtype=np.float32)
    else:
        # Only what the new grid can see is widened to float32, so a small region of a large scan stays cheap.
        part = volume.crop(near)
        array = _interpolate(part.array.astype(np.float32), part.grid, grid, background)
    return replace(volume, array=array, grid=grid)


def resample_labels(labels: Volume, grid: Grid) -> Volume:
    """A label map on another grid, with no label that was not there.

    Each label is resampled linearly as a mask of its own and every voxel takes the label that fills most of it
    (background included, the lower value where two fill it alike), which keeps borders smoother than nearest
    neighbour does and never mixes values.

    Args:
        labels: Label map (k, j, i) of an unsigned integer dtype on an LPS grid.
        grid: Where the result's voxels lie, LPS mm; outside the map is background.

    Returns:
        A map of the same dtype; an exact copy where the two lattices coincide.
    """
    copied = _copy_where_lattices_coincide(labels, grid, 0)
    if copied is not None:
        return replace(labels, array=copied, grid=grid)
    result = np.zeros(grid.shape, dtype=labels.array.dtype)
    best = np.zeros(grid.shape, dtype=np.float32)
    claimed = np.zeros(grid.shape, dtype=np.float32)
    margin = _margin(labels.grid, grid)
    for value in np.unique(labels.array):
        if value == 0:
            continue
        mask = labels.array == value
        source = Box.around(mask).grow(margin).clip(labels.grid.shape)
        part = labels.grid.crop(source)
        target = _box_covering(part, grid)
        if target.is_empty:
            continue
        share = _interpolate(mask[source.slices].astype(np.float32), part, grid.crop(target), 0.0)
        claimed[target.slices] += share
        wins = share > best[target.slices]
        best[target.slices][wins] = share[wins]
        result[target.slices][wins] = value
    # Background has what no label claims; float32 sums of the shares of a full voxel may miss 1 by a little.
    result[best <= 1.0 - claimed + 1e-6] = 0
    return replace(labels, array=result, grid=grid)


@dataclass(frozen=True)
class _Lattice:
    """How target indices map to source indices where lattices coincide, all in array order (k, j, i).

    Target axis ``a`` runs along source axis ``axes[a]`` with step ``signs[a]``; target voxel 0 lies at source voxel
    ``start`` (given per source axis).
    """

    axes: tuple[int, int, int]
    signs: tuple[int, int, int]
    start: tuple[int, int, int]


def _copy_where_lattices_coincide(volume: Volume, grid: Grid, background: float) -> np.ndarray | None:
    lattice = _common_lattice(volume.grid, grid)
    if lattice is None:
        return None
    array = volume.array
    result = np.full(grid.shape, background, dtype=_dtype_that_holds(background, array.dtype))
    source, target = [slice(None)] * 3, [slice(None)] * 3
    for a, (axis, sign) in enumerate(zip(lattice.axes, lattice.signs)):
        first, last = lattice.start[axis], lattice.start[axis] + sign * (grid.shape[a] - 1)
        skip = max(0, -first if sign > 0 else first - (array.shape[axis] - 1))
        drop = max(0, last - (array.shape[axis] - 1) if sign > 0 else -last)
        count = grid.shape[a] - skip - drop
        if count <= 0:
            return result
        target[a] = slice(skip, skip + count)
        start = first + sign * skip
        stop = start + sign * count
        source[axis] = slice(start, stop if stop >= 0 else None, sign)
    result[tuple(target)] = array[tuple(source)].transpose(lattice.axes)
    return result


def _dtype_that_holds(background: float, dtype: np.dtype) -> np.dtype:
    """``dtype`` where it can hold the value, else float32."""
    with np.errstate(invalid="ignore"):
        return dtype if float(np.float64(background).astype(dtype)) == background else np.dtype(np.float32)


def _common_lattice(source: Grid, target: Grid) -> _Lattice | None:
    """The index map between two grids whose voxel centres coincide to a hundredth of a voxel, else None."""
    matrix = np.linalg.inv(source.index_to_lps) @ target.index_to_lps
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
    return _Lattice(axes, signs, tuple(int(v) for v in rounded[::-1, 3]))


def _nearest_ras_axes(grid: Grid) -> tuple[list[int], np.ndarray]:
    """For Right, Anterior, Superior in turn: the index axis (i = 0) nearest to it, and whether it runs against it."""
    ras = swap_lps_and_ras(grid.direction_matrix.T).T
    order = max(
        itertools.permutations(range(3)), key=lambda axes: sum(abs(ras[row, axis]) for row, axis in enumerate(axes))
    )
    signs = np.array([1.0 if ras[row, axis] >= 0 else -1.0 for row, axis in enumerate(order)])
    return list(order), signs


def _footprint(source: Grid, target: Grid) -> np.ndarray:
    """Size of a target voxel along the source axes (i, j, k), in source voxels."""
    matrix = np.linalg.inv(source.index_to_lps) @ target.index_to_lps
    return np.abs(matrix[:3, :3]).max(axis=1)


def _margin(source: Grid, target: Grid) -> int:
    """Source voxels around a target grid that its voxels may depend on: the Gaussian's reach and interpolation."""
    return int(np.ceil(2 * _footprint(source, target).max())) + 2


def _interpolate(array: np.ndarray, source: Grid, target: Grid, background: float) -> np.ndarray:
    """float32 (k, j, i) on ``target`` by SimpleITK's linear interpolation."""
    import SimpleITK as sitk

    image = Volume(array, source).to_sitk()
    footprint = _footprint(source, target)
    # Width at which a Gaussian seen by the source's own voxel becomes as wide as the target's voxel (FWHM = size).
    variance = np.where(footprint > _SHRINKS, (footprint**2 - 1) / (8 * np.log(2)), 0.0)
    if variance.any():
        image = sitk.DiscreteGaussian(image, variance=variance.tolist(), maximumKernelWidth=99, useImageSpacing=False)
    result = sitk.Resample(
        image,
        target.size,
        sitk.Transform(),
        sitk.sitkLinear,
        target.origin,
        target.spacing,
        target.direction,
        background,
        sitk.sitkFloat32,
    )
    return sitk.GetArrayFromImage(result)


def _box_covering(part: Grid, grid: Grid) -> Box:
    """The box of ``grid`` around all of ``part``'s outer corners, clipped to ``grid``."""
    return Box.covering(grid.kji_of(part.corners_lps())).clip(grid.shape)
