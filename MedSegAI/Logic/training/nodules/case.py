"""One nodule as training sees it: its surroundings in HU at the model's spacing, and who outlined it how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property

import numpy as np

from MedSegAI.Logic.geometry import Box


class Source(str, Enum):
    """Which set a nodule comes from: whole cubes, or marked slices only."""

    CUBES = "cubes"
    SLICES = "slices"


@dataclass(frozen=True, eq=False)
class NoduleCase:
    """A nodule and its surroundings, in the model's space.

    Args:
        name: Unique in its set.
        patient: Whose nodule it is; nodules of one patient are not independent of each other.
        source: The set it comes from.
        hu: Voxels (k, j, i) float32 in HU. Nothing is known of what lies outside this array.
        readers: What each radiologist drew, (readers, k, j, i) uint8, 0 or 1; nobody's mask is empty.
        consensus: Who drew it taken together by STAPLE, (k, j, i) uint8; the one reader's mask where only one or two
            are usable.
    """

    name: str
    patient: str
    source: Source
    hu: np.ndarray
    readers: np.ndarray
    consensus: np.ndarray

    @cached_property
    def centre(self) -> np.ndarray:
        """Centre of mass (k, j, i) of the consensus, in voxels."""
        return np.argwhere(self.consensus).mean(axis=0)

    @cached_property
    def half_axes(self) -> np.ndarray:
        """Half the extent (k, j, i) of the consensus in voxels."""
        return np.array(Box.around(self.consensus).shape) / 2
