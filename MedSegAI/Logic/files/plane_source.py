"""A scan on disk that is read a few planes at a time, because the whole of it need not fit into memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.step_record import StepRecord
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
    frame_of_reference: str
    """As a volume's."""
    steps: tuple[StepRecord, ...]
    """What was done to the scan before, as a volume's."""
    acquisition: Mapping[str, Any]
    """As a volume's."""

    def planes(self, start: int, stop: int) -> np.ndarray:
        """The voxels (stop - start, j, i) of the planes ``start <= k < stop``, rescale slope and intercept applied.

        Raises:
            InputError: for a file that is cut short or damaged.
        """

    def close(self) -> None:
        """Let go of the files."""
