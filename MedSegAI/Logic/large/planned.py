"""How thick the slabs are in which a large scan is resampled, and how much memory that takes, known beforehand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.files.plane_source import PlaneSource
from MedSegAI.Logic.files.planes.file_planes import FilePlanes
from MedSegAI.Logic.files.planes.volume_planes import VolumePlanes
from MedSegAI.Logic.geometry import Box, Grid, Shape
from MedSegAI.Logic.standardise.index_map import IndexMap
from MedSegAI.Logic.standardise.interpolate import reach, smoothing_variance
from MedSegAI.Logic.standardise.interpolation import Interpolation

MIB = 1 << 20
SLAB_BUDGET_BYTES = 512 * MIB
# Python, numpy, SimpleITK, scipy and numba together, before the first voxel.
PROGRAM_BYTES = 320 * MIB
READ_AT_ONCE_BYTES = 16 * MIB
TILE_VOXELS = 1 << 23
_SHORTEST_TILE = 8
# What is kept of the header of each file of a DICOM series, and pydicom itself.
_HEADER_BYTES = 64 * 1024

LARGE_BYTES = 1024 * MIB


def is_large(source: PlaneSource, target: Grid) -> bool:
    """Whether a scan and what becomes of it (as float32) are better not held in memory together."""
    return source.grid.voxel_count * source.dtype.itemsize + target.voxel_count * 4 > LARGE_BYTES


@dataclass(frozen=True)
class Work:
    """What is done to a scan, as far as memory depends on it.

    Args:
        interpolation: How values between voxels are made.
        labels: Whether each label is resampled as a mask of its own.
        copied: Whether voxels are only copied, because the lattices coincide.
        compiled: Whether the compiled loops for parallel axes do it.
        read: Of the voxels that are read.
        prepared: Of the voxels after the steps of preparation.
        written: Of the result.
    """

    interpolation: Interpolation
    labels: bool
    copied: bool
    compiled: bool
    read: np.dtype
    prepared: np.dtype
    written: np.dtype

    def bytes_beside(self, source_voxels: int, target_voxels: int) -> int:
        """Memory at the peak of one slab's resampling, its own voxels and the result's included."""
        # The slab before may still be on its way to the disk, and axes that change places are put in order by a copy.
        kept = source_voxels * self.prepared.itemsize + 3 * target_voxels * self.written.itemsize
        return kept + min(source_voxels + target_voxels, TILE_VOXELS) * self.bytes_a_tile_voxel

    @property
    def is_tiled(self) -> bool:
        """Whether each slab is done tile by tile, because what does it needs much more memory than the voxels take."""
        return not self.copied and (self.labels or not self.compiled)

    @property
    def bytes_a_tile_voxel(self) -> int:
        """Memory for each voxel of a tile, beside the slab's own."""
        if not self.is_tiled:
            return 0
        if self.interpolation is Interpolation.BSPLINE:
            # As float32 in numpy and SimpleITK, smoothed, and float64 coefficients.
            return 32
        # As float32 in numpy and SimpleITK, smoothed; of labels a mask and three maps of the result as well.
        return 24 if self.labels else 16


@dataclass(frozen=True)
class Slab:
    """One part of the work.

    Args:
        target: The block of the result (k, j, i); whole planes.
        source: The block of the scan that it depends on; may be empty.
    """

    target: Box
    source: Box


def tiles_of(slab: Slab, source: Shape, index_map: IndexMap, *, margin: int) -> list[Slab]:
    """A slab cut into blocks that have ``TILE_VOXELS`` at most with the block of the scan that each depends on."""
    waiting, found = [slab.target], []
    while waiting:
        box = waiting.pop()
        tile = Slab(box, index_map.source_box(box, source, margin=margin))
        longest = int(np.argmax(box.shape))
        if np.prod(tile.source.shape) + np.prod(box.shape) <= TILE_VOXELS or box.shape[longest] <= _SHORTEST_TILE:
            found.append(tile)
            continue
        middle = (box.start[longest] + box.stop[longest]) // 2
        stop, start = list(box.stop), list(box.start)
        stop[longest] = start[longest] = middle
        waiting += [Box(box.start, tuple(stop)), Box(tuple(start), box.stop)]
    return found


@dataclass(frozen=True)
class SlabPlan:
    """The work in slabs.

    Args:
        slabs: In the order of the result's planes.
        slab_bytes: Memory for the largest of them.
        planes_read: Planes of the scan read in all, those that are read again included.
        turns_back: How often a plane is wanted that lies before what has just been read.
        held_bytes: Memory that the source itself holds all the time.
    """

    slabs: tuple[Slab, ...]
    slab_bytes: int
    planes_read: int
    turns_back: int
    held_bytes: int = 0

    @property
    def peak_bytes(self) -> int:
        """Most memory that the process will take, the program itself included."""
        return PROGRAM_BYTES + self.held_bytes + self.slab_bytes

    @property
    def sentence(self) -> str:
        """The plan for a person."""
        count, thick = len(self.slabs), self.slabs[0].target.shape[0]
        how = "in one piece" if count == 1 else f"in {count} slabs of {thick} planes"
        return f"The scan goes through {how}; it takes at most {self.peak_bytes / (1024 * MIB):.2g} GiB of memory."


def bytes_held_by(source: PlaneSource) -> int:
    """Memory that a source takes all the time: the voxels where it had to be read whole, the headers of a series."""
    if isinstance(source, FilePlanes):
        return 0
    if isinstance(source, VolumePlanes):
        return source.grid.voxel_count * source.dtype.itemsize
    return source.grid.shape[0] * _HEADER_BYTES


def plan_slabs(
    source: Grid,
    target: Grid,
    index_map: IndexMap,
    work: Work,
    *,
    budget_bytes: int = SLAB_BUDGET_BYTES,
    held_bytes: int = 0,
) -> SlabPlan:
    """The thickest slabs that keep within the budget, or slabs of one plane where none do.

    Args:
        source: The scan's grid.
        target: The result's grid.
        index_map: From the result's voxels to the scan's.
        work: What is done.
        budget_bytes: Memory for one slab.
        held_bytes: As :func:`bytes_held_by` gives it.
    """
    thickness = target.shape[0]
    while True:
        slabs = _slabs(source.shape, target.shape, index_map, work, thickness)
        needed = max(_slab_bytes(slab, source, target, index_map, work) for slab in slabs)
        if needed <= budget_bytes or thickness == 1:
            return SlabPlan(slabs, needed, *_readings(slabs), held_bytes)
        thickness = max(1, min(thickness - 1, int(thickness * max(0.5, 0.9 * budget_bytes / needed))))


def _slabs(source: Shape, target: Shape, index_map: IndexMap, work: Work, thickness: int) -> tuple[Slab, ...]:
    margin = 1 if work.copied else reach(index_map, work.interpolation)
    slabs = []
    for start in range(0, target[0], thickness):
        box = Box((start, 0, 0), (min(start + thickness, target[0]), *target[1:]))
        slabs.append(Slab(box, index_map.source_box(box, source, margin=margin)))
    return tuple(slabs)


def _slab_bytes(slab: Slab, source: Grid, target: Grid, index_map: IndexMap, work: Work) -> int:
    source_voxels, target_voxels = (int(np.prod(box.shape)) for box in (slab.source, slab.target))
    plane = source.shape[1] * source.shape[2]
    # Planes on their way from the file through the steps: as read, as float32 twice, and what is kept of them.
    read = min(max(READ_AT_ONCE_BYTES, plane * work.read.itemsize), source.voxel_count * work.read.itemsize)
    on_the_way = read // work.read.itemsize * (2 * work.read.itemsize + 8 + work.prepared.itemsize)
    # Planes that the next slab needs again, and the few that the compiled loops hold in each of their threads.
    again = 2 * reach(index_map, work.interpolation) * plane * work.prepared.itemsize
    taps = 3 + 2 * int(np.ceil(3 * np.sqrt(smoothing_variance(index_map).max())))
    near = 8 * (taps + 2) * target.shape[1] * target.shape[2] * 4 if work.compiled else 0
    return work.bytes_beside(source_voxels, target_voxels) + on_the_way + again + near


def _readings(slabs: tuple[Slab, ...]) -> tuple[int, int]:
    """Planes read in all, and how often reading goes back."""
    read, back, end, last = 0, 0, 0, None
    for slab in slabs:
        box = slab.source
        if box.is_empty:
            continue
        again = last is not None and reuses(last, box)
        start = last.stop[0] if again else box.start[0]
        back += start < end
        read += max(0, box.stop[0] - start)
        end, last = max(start, box.stop[0]), box
    return read, back


def reuses(last: Box, box: Box) -> bool:
    """Whether the first planes of ``box`` are the last ones of the block that was read before."""
    same_columns = last.start[1:] == box.start[1:] and last.stop[1:] == box.stop[1:]
    return same_columns and last.start[0] <= box.start[0] <= last.stop[0] <= box.stop[0]
