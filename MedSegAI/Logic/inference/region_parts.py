"""Which part of the scan's grid a region's finished planes decide, and the voxels of that part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.standardise.aligned_weights import aligned_weights
from MedSegAI.Logic.standardise.index_map import IndexMap
from MedSegAI.Logic.standardise.interpolate import reach
from MedSegAI.Logic.standardise.interpolation import Interpolation
from MedSegAI.Logic.standardise.lattice_copy import common_lattice
from MedSegAI.Logic.standardise.resample import resample, resample_labels
from MedSegAI.Logic.volume import Volume

Planes = Callable[[int, int], np.ndarray]
"""Gives the planes ``start <= k < stop`` (stop - start, j, i) of a region, as the network sees it."""
_ROUNDING = 0.05


def region_box(region: Grid, grid: Grid) -> Box:
    """The box of ``grid`` that holds every voxel centre inside the region's outer corners, clipped to the grid."""
    return Box.inside(grid.kji_of(region.corners_lps())).clip(grid.shape)


@dataclass(frozen=True)
class Part:
    """A part of a region's result that nothing can change any more.

    Args:
        box: Where it lies on the scan's grid, (k, j, i).
        planes: The planes of the region, from the first to below the last, that it is made of.
    """

    box: Box
    planes: tuple[int, int]


class RegionParts:
    """Cuts a region's result into parts of the scan's grid, as the region's planes are finished in ascending order.

    A region's axes run along the scan's, though in another order or the other way round, so planes that are finished
    decide a slab along one axis of the scan. Where the axes are not parallel, the only part comes at the end.

    Args:
        region: The place in model space.
        grid: The scan's grid.

    Raises:
        RegionError: if none of the scan's voxels lies in the region.
    """

    def __init__(self, region: LocalisedRegion, grid: Grid) -> None:
        self._region, self._grid = region, grid
        self._box = region_box(region.within or region.grid, grid)
        self._done = 0
        place = grid.crop(self._box)
        self._map = IndexMap.between(region.grid, place)
        copied = common_lattice(self._map, place) is not None
        self._margin = 0 if copied else reach(self._map, Interpolation.LINEAR)
        self._along, self._places = _along_planes(self._map, region.grid, place)

    def up_to(self, k: int) -> Part | None:
        """What the planes below ``k`` decide and those of the calls before did not; None where that is nothing."""
        depth = self._region.grid.shape[0]
        if self._along is None:
            if k < depth or self._done:
                return None
            self._done = 1
            return Part(self._box, (0, depth))
        count = len(self._places)
        ready = count if k >= depth else int(np.count_nonzero(self._places + self._margin <= k - 1 + _ROUNDING))
        if ready <= self._done:
            return None
        if self._runs_down:
            first, last = count - ready, count - self._done
        else:
            first, last = self._done, ready
        self._done = ready
        inside = _cut_along(Box.whole(self._box.shape), self._along, first, last)
        return Part(inside.shift(self._box.start), self._planes_of(inside, k))

    @property
    def needed_from(self) -> int:
        """The lowest plane of the region that a later part is made of."""
        if self._along is None:
            return 0
        waiting = np.sort(self._places)[self._done :]
        if not len(waiting):
            return self._region.grid.shape[0]
        half_a_voxel = 0.5 * self._map.footprint[2]
        return max(0, int(np.floor(waiting[0] - half_a_voxel)) - self._margin)

    def labels(self, part: Part, planes: Planes) -> np.ndarray:
        """The uint8 labels of a part, in the values of the segmentation."""
        named = self._region.rename(self._region.orient(planes(*part.planes)))
        return resample_labels(Volume(named, self._slab(part)), self._grid.crop(part.box)).array

    def confidence(self, part: Part, planes: Planes) -> np.ndarray:
        """The confidence of a part; 0 where the network did not look."""
        local = self._region.orient(planes(*part.planes)).astype(np.float32)
        return resample(Volume(local, self._slab(part)), self._grid.crop(part.box), background=0.0).array

    @property
    def _runs_down(self) -> bool:
        return len(self._places) > 1 and self._places[-1] < self._places[0]

    def _planes_of(self, inside: Box, finished: int) -> tuple[int, int]:
        source = self._map.source_box(inside, self._region.grid.shape, margin=self._margin)
        return source.start[0], min(source.stop[0], finished)

    def _slab(self, part: Part) -> Grid:
        start, stop = part.planes
        return self._region.grid.crop(Box((start, 0, 0), (stop, *self._region.grid.shape[1:])))


def _along_planes(index_map: IndexMap, region: Grid, place: Grid) -> tuple[int | None, np.ndarray]:
    """The axis of ``place`` that runs along the region's k, and where its positions lie there; None where none does."""
    how = aligned_weights(index_map, region.shape, place.shape, np.zeros(3))
    if how is None:
        return None, np.empty(0)
    axis = how.axes.index(0)
    matrix, offset = index_map.matrix[:3, :3][::-1, ::-1], index_map.matrix[:3, 3][::-1]
    return axis, matrix[0, axis] * np.arange(place.shape[axis]) + offset[0]


def _cut_along(box: Box, axis: int, first: int, last: int) -> Box:
    start, stop = list(box.start), list(box.stop)
    start[axis], stop[axis] = first, last
    return Box(tuple(start), tuple(stop))
