"""What becomes of a large scan, and what has to be known to do it slab by slab."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.plane_source import PlaneSource
from MedSegAI.Logic.geometry import Grid, Shape
from MedSegAI.Logic.large.planned import Slab, Work, tiles_of
from MedSegAI.Logic.large.point_wise import PointWise
from MedSegAI.Logic.standardise.aligned_resample import load_kernel
from MedSegAI.Logic.standardise.aligned_weights import aligned_weights
from MedSegAI.Logic.standardise.index_map import IndexMap
from MedSegAI.Logic.standardise.interpolate import COMPILED_FROM_VOXELS, interpolate, reach, smoothing_variance
from MedSegAI.Logic.standardise.interpolation import Interpolation
from MedSegAI.Logic.standardise.label_interpolation import interpolate_labels
from MedSegAI.Logic.standardise.lattice_copy import common_lattice, copy_voxels
from MedSegAI.Logic.standardise.resample_record import resample_record
from MedSegAI.Logic.standardise.rounding import rounded_to
from MedSegAI.Logic.standardise.step import Step
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    from MedSegAI.Logic.standardise.register import LinearTransform

_NEVER = 2**62


class Content(str, Enum):
    """What the voxels of a scan are."""

    VALUES = "values"
    LABELS = "labels"


@dataclass(frozen=True)
class LargeTask:
    """What becomes of a large scan; the arguments mean what they mean to ``resample``.

    Args:
        grid: Where the result's voxels lie, LPS mm.
        steps: What is done to each voxel first.
        interpolation: How a value between voxel centres is made.
        content: Labels are never mixed, see ``resample_labels``.
        background: Value outside the scan; None takes its smallest value, for which the scan is read once more where
            the grid reaches beyond it.
        transform: From LPS mm of ``grid`` to LPS mm of the scan.
    """

    grid: Grid
    steps: tuple[Step, ...] = ()
    interpolation: Interpolation = Interpolation.LINEAR
    content: Content = Content.VALUES
    background: float | None = None
    transform: LinearTransform | None = None

    def __post_init__(self) -> None:
        if self.content is Content.LABELS and self.interpolation is Interpolation.BSPLINE:
            raise InputError("Labels cannot be interpolated by B-splines.", advice="Choose linear or nearest.")


class PreparedTask:
    """A task with all that is the same for every slab.

    Args:
        task: The task.
        source: The scan.

    Raises:
        InputError: for a step that needs to see the whole scan, or that this scan cannot go through.
    """

    def __init__(self, task: LargeTask, source: PlaneSource) -> None:
        self.task, self._source_shape = task, source.grid.shape
        self.steps = PointWise.of(source, task.steps)
        self.index_map = IndexMap.between(source.grid, task.grid, task.transform)
        self._lattice = common_lattice(self.index_map, task.grid)
        prepared = self.steps.after()
        by_label = task.content is Content.LABELS and task.interpolation is Interpolation.LINEAR
        dtype = self._written_dtype(prepared.array.dtype)
        self.work = Work(
            task.interpolation,
            labels=by_label and self._lattice is None,
            copied=self._lattice is not None,
            compiled=self._is_compiled(source.grid),
            read=source.dtype,
            prepared=prepared.array.dtype,
            written=dtype,
        )
        self.described = self._described(prepared, source, dtype)

    @property
    def reaches_beyond(self) -> bool:
        """Whether some of the result lies outside the scan, so that a background is needed."""
        places = self.index_map.target_corners(self.task.grid.shape)
        return bool((places.min(0) < -0.5).any() or (places.max(0) >= np.array(self._source_shape) - 0.5).any())

    def voxels(self, block: np.ndarray, slab: Slab, background: float) -> np.ndarray:
        """The result's voxels (k, j, i) of one slab from the prepared voxels of its source box."""
        work, shape = self.work, slab.target.shape
        outside = rounded_to(np.array(float(background)), work.written)
        if slab.source.is_empty:
            return np.full(shape, outside, work.written)
        if self._lattice is not None:
            lattice = self._lattice.between_parts(source_start=slab.source.start, target_start=slab.target.start)
            return rounded_to(copy_voxels(block, lattice, shape, float(outside)), work.written)
        if not work.is_tiled:
            return self._part(block, slab, slab.source.start, background)
        result = np.full(shape, outside, work.written)
        margin = reach(self.index_map, work.interpolation)
        for tile in tiles_of(slab, self._source_shape, self.index_map, margin=margin):
            if not tile.source.is_empty:
                place = tile.target.shift(tuple(-start for start in slab.target.start))
                result[place.slices] = self._part(block, tile, slab.source.start, background)
        return result

    def _part(self, block: np.ndarray, part: Slab, block_start: Shape, background: float) -> np.ndarray:
        """Interpolated voxels of a slab or tile, from a block of the scan that holds all it depends on."""
        work = self.work
        needed = block[part.source.shift(tuple(-start for start in block_start)).slices]
        index_map = self.index_map.between_parts(source_start=part.source.start, target_start=part.target.start)
        compiled_from = 0 if work.compiled else _NEVER
        if work.labels:
            return interpolate_labels(needed, index_map, part.target.shape, compiled_from=compiled_from)
        return interpolate(
            needed,
            index_map,
            part.target.shape,
            interpolation=work.interpolation,
            background=background,
            dtype=work.written,
            compiled_from=compiled_from,
        )

    def _written_dtype(self, dtype: np.dtype) -> np.dtype:
        """Integers and what is copied stay what they are; interpolated numbers are float32."""
        mixed = self._lattice is None and self.task.interpolation is not Interpolation.NEAREST
        return np.dtype(np.float32) if mixed and dtype.kind == "f" else dtype

    def _is_compiled(self, source: Grid) -> bool:
        target = self.task.grid
        if self.task.interpolation is not Interpolation.LINEAR or self._lattice is not None:
            return False
        if source.voxel_count + target.voxel_count < COMPILED_FROM_VOXELS:
            return False
        how = aligned_weights(self.index_map, source.shape, target.shape, smoothing_variance(self.index_map))
        return how is not None and load_kernel() is not None

    def _described(self, prepared: Volume, source: PlaneSource, dtype: np.dtype) -> Volume:
        """Two voxels on the result's grid that say all of the result but its voxels."""
        task = self.task
        place = Grid((1, 1, 2), task.grid.spacing, task.grid.origin, task.grid.direction)
        steps = prepared.steps
        if not source.grid.same_frame(task.grid) or task.transform is not None:
            record = resample_record(source.grid, task.grid, interpolation=task.interpolation, transform=task.transform)
            steps = (*steps, record)
        frame = "" if task.transform is not None else prepared.frame_of_reference
        array = np.zeros(place.shape, dtype)
        return replace(prepared, array=array, grid=place, steps=steps, frame_of_reference=frame)
