"""Blocks of a scan, read and prepared a few planes at a time."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.files.plane_source import PlaneSource
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.large.planned import READ_AT_ONCE_BYTES, reuses
from MedSegAI.Logic.large.point_wise import PointWise
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled


class BlockReader:
    """Gives blocks of voxels after the steps of preparation; planes that the next block shares are not read again.

    Args:
        source: The scan.
        steps: What is done to each voxel.
        reporter: Asked after every few planes whether to stop.
    """

    def __init__(self, source: PlaneSource, steps: PointWise, reporter: Reporter) -> None:
        self._source, self._steps, self._reporter = source, steps, reporter
        self._dtype = steps.after().array.dtype
        self._box = Box.empty()
        self._block: np.ndarray | None = None
        self.low, self.high = np.inf, -np.inf
        """The smallest and largest value read so far, before the steps."""

    def read(self, box: Box) -> np.ndarray:
        """The voxels of one block (k, j, i); do not keep it after the next one was read.

        Raises:
            InputError: for a file that is cut short or damaged, or a step that refuses the scan.
            Cancelled: if the reporter asked to stop.
        """
        if box.is_empty:
            return np.empty(box.shape, self._dtype)
        shared = np.empty((0, *box.shape[1:]), self._dtype)
        if self._block is not None and reuses(self._box, box):
            shared = self._block[box.start[0] - self._box.start[0] :].copy()
        # The old block goes before the new one comes.
        self._block = None
        block = np.empty(box.shape, self._dtype)
        block[: len(shared)] = shared
        self._fill(block, box, len(shared))
        self._box, self._block = box, block
        return block

    def smallest(self) -> float:
        """The smallest value of the whole scan after the steps, for which every plane is read once.

        Raises:
            InputError, Cancelled: as :meth:`read`.
        """
        count, low = self._source.grid.shape[0], np.inf
        for start in range(0, count, self._planes_at_once()):
            low = min(low, float(self._steps.apply(self._planes(start, count)).min()))
        return low

    def _fill(self, block: np.ndarray, box: Box, done: int) -> None:
        rows, columns = box.slices[1:]
        while done < len(block):
            planes = self._planes(box.start[0] + done, box.stop[0])[:, rows, columns]
            block[done : done + len(planes)] = self._steps.apply(planes)
            done += len(planes)

    def _planes(self, start: int, stop: int) -> np.ndarray:
        """As many planes from ``start`` on as are read at once."""
        raise_if_cancelled(self._reporter)
        planes = self._source.planes(start, min(stop, start + self._planes_at_once()))
        self.low, self.high = min(self.low, float(planes.min())), max(self.high, float(planes.max()))
        return planes

    def _planes_at_once(self) -> int:
        _, rows, columns = self._source.grid.shape
        return max(1, READ_AT_ONCE_BYTES // (rows * columns * self._source.dtype.itemsize))
