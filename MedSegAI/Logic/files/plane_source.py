"""A scan on disk that is read a few planes at a time, because the whole of it need not fit into memory."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Modality, Unit


class PlaneSource(Protocol):
    """A 3D scan whose planes of constant k are read when they are asked for."""

    grid: Grid
    """The whole scan's grid, LPS mm."""
    dtype: np.dtype
    """Of the voxels that :meth:`planes` gives."""
    modality: Modality
    unit: Unit
    name: str

    def planes(self, start: int, stop: int) -> np.ndarray:
        """The voxels (stop - start, j, i) of the planes ``start <= k < stop``, rescale slope and intercept applied.

        Raises:
            InputError: for a file that is cut short or damaged.
        """

    def close(self) -> None:
        """Let go of the files."""
