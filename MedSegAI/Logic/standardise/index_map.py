"""Where the voxels of one grid lie among the voxels of another, through a transform of the patient or without one."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.geometry import Box, Grid, Shape

if TYPE_CHECKING:
    from MedSegAI.Logic.standardise.register import LinearTransform


@dataclass(frozen=True, eq=False)
class IndexMap:
    """The affine map from a target grid's voxels to a source grid's.

    Args:
        matrix: 4 x 4 float64; takes a target voxel (i, j, k, 1) to the place (i, j, k, 1), fractional, in the source.
    """

    matrix: np.ndarray

    @classmethod
    def between(cls, source: Grid, target: Grid, transform: LinearTransform | None = None) -> IndexMap:
        """The map between two grids; ``transform`` takes the target's LPS mm to the source's LPS mm."""
        moved = np.eye(4) if transform is None else np.reshape(transform.matrix, (4, 4))
        return cls(np.linalg.inv(source.index_to_lps) @ moved @ target.index_to_lps)

    @property
    def footprint(self) -> np.ndarray:
        """Size of a target voxel along the source axes (i, j, k), in source voxels."""
        return np.abs(self.matrix[:3, :3]).max(axis=1)

    def target_corners(self, target_shape: Shape) -> np.ndarray:
        """Where the outermost voxel centres of a target of ``target_shape`` lie in the source: (8, 3) as (k, j, i)."""
        corners = np.array(list(itertools.product(*((0, n - 1) for n in target_shape[::-1]))))
        return (corners @ self.matrix[:3, :3].T + self.matrix[:3, 3])[:, ::-1]

    def between_parts(self, *, source_start: Shape = (0, 0, 0), target_start: Shape = (0, 0, 0)) -> IndexMap:
        """The same map for parts of both grids that begin at these voxels (k, j, i)."""
        matrix = self.matrix.copy()
        matrix[:3, 3] += matrix[:3, :3] @ np.array(target_start[::-1]) - np.array(source_start[::-1])
        return IndexMap(matrix)

    def source_box(self, target_box: Box, source_shape: Shape, *, margin: int) -> Box:
        """The source voxels within ``margin`` of what a block of target voxels covers; may be empty."""
        return _mapped_box(self.matrix, target_box).grow(margin).clip(source_shape)

    def overlap(self, target_shape: Shape, source_shape: Shape) -> bool:
        """Whether the box around the target grid and the source have any voxel in common."""
        return not self.source_box(Box.whole(target_shape), source_shape, margin=0).is_empty

    def target_box(self, source_box: Box, target_shape: Shape) -> Box:
        """The target voxels that a block of source voxels covers; may be empty."""
        return _mapped_box(np.linalg.inv(self.matrix), source_box).clip(target_shape)


def _mapped_box(matrix: np.ndarray, box: Box) -> Box:
    """The box around the outer corners of ``box`` (half a voxel beyond the outermost centres) after ``matrix``."""
    ends = [(a - 0.5, b - 0.5) for a, b in zip(box.start[::-1], box.stop[::-1])]
    corners = np.array(list(itertools.product(*ends)))
    return Box.covering((corners @ matrix[:3, :3].T + matrix[:3, 3])[:, ::-1])
