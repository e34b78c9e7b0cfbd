"""From the planes of a raw heat map in model space to the scan's grid, as they are finished."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from MedSegAI.Logic.explain.whole_volume import HeatPlane
from MedSegAI.Logic.geometry import Grid, Shape
from MedSegAI.Logic.inference.region_parts import RegionParts
from MedSegAI.Logic.localised_region import LocalisedRegion

_PLANES_AT_A_TIME = 8


def heat_onto_scan(
    planes: Iterable[HeatPlane],
    region: LocalisedRegion,
    grid: Grid,
    *,
    onto: np.ndarray,
    at: Shape = (0, 0, 0),
) -> float:
    """Write a region's raw heat, interpolated, into an array on the scan's grid; what no plane reaches stays.

    Of the region no more planes are held than the next voxels of the scan are interpolated from.

    Args:
        planes: Of the region as the network sees it, in ascending order of k.
        region: The place in model space.
        grid: The scan's grid.
        onto: Array (k, j, i) float32 to write to.
        at: The scan's voxel (k, j, i) that is the array's first.

    Returns:
        The strongest raw heat in model space; 0 where there were no planes.
    """
    parts = RegionParts(region, grid)
    waiting: dict[int, HeatPlane] = {}
    strongest = 0.0

    def held(start: int, stop: int) -> np.ndarray:
        slab = np.zeros((stop - start, *region.grid.shape[1:]), dtype=np.float32)
        for k in range(start, stop):
            if k in waiting:
                slab[(k - start, *waiting[k].place)] = waiting[k].heat
        return slab

    def write_below(k: int) -> None:
        part = parts.up_to(k)
        if part is None:
            return
        if any(plane in waiting for plane in range(*part.planes)):
            place = part.box.shift(tuple(-a for a in at))
            onto[place.slices] = parts.confidence(part, held)
        for plane in [plane for plane in waiting if plane < parts.needed_from]:
            del waiting[plane]

    next_plane = 0
    for plane in planes:
        if not waiting:
            # Nothing of the planes between will come.
            write_below(plane.k)
        strongest = max(strongest, float(plane.heat.max()))
        waiting[plane.k] = plane
        next_plane = plane.k + 1
        if next_plane % _PLANES_AT_A_TIME == 0:
            write_below(next_plane)
    depth = region.grid.shape[0]
    while waiting and next_plane < depth:
        next_plane = min(next_plane + _PLANES_AT_A_TIME, depth)
        write_below(next_plane)
    write_below(depth)
    return strongest
