"""The planes of a scan that is in memory already."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.volume import Volume


class VolumePlanes:
    """A volume as a :class:`~MedSegAI.Logic.files.plane_source.PlaneSource`, for files that can only be read whole."""

    def __init__(self, volume: Volume) -> None:
        self.grid, self.dtype, self.name = volume.grid, volume.array.dtype, volume.name
        self.modality, self.unit = volume.modality, volume.unit
        self.frame_of_reference, self.steps = volume.frame_of_reference, volume.steps
        self.acquisition = volume.acquisition
        self._array = volume.array

    def planes(self, start: int, stop: int) -> np.ndarray:
        """The voxels (stop - start, j, i), as a view."""
        return self._array[start:stop]

    def close(self) -> None:
        """Nothing is open."""
