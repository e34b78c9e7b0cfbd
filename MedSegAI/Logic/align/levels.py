"""A scan at the resolutions at which it is aligned: coarse to be found from afar, fine to be placed exactly."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.standardise.resample import grid_with_spacing, resample
from MedSegAI.Logic.volume import Volume

COARSE_MM, MIDDLE_MM, FINE_MM = LEVELS_MM = (8.0, 4.0, 2.0)
_LIMITS = (0.5, 99.8)


def levels(volume: Volume) -> dict[float, Volume]:
    """The scan (k, j, i) float32 by level in mm, extremes clipped; no axis is made finer than the scan has it.

    Args:
        volume: Any scan, LPS mm.
    """
    images: dict[float, Volume] = {}
    source = volume
    for level in sorted(LEVELS_MM):
        spacing = tuple(max(level, own) for own in volume.grid.spacing)
        source = images[level] = resample(source, grid_with_spacing(source.grid, spacing), dtype=np.float32)
    low, high = np.percentile(images[MIDDLE_MM].array, _LIMITS)
    return {level: image.with_array(np.clip(image.array, low, high)) for level, image in images.items()}


def centre_of_mass(volume: Volume) -> np.ndarray:
    """LPS mm (3,) of the middle of what is brighter than the mean."""
    bright = np.argwhere(volume.array > volume.array.mean())
    places = bright if len(bright) else (np.array(volume.grid.shape) - 1)[None] / 2
    return volume.grid.lps_of(places.mean(0))


def centre_of_extent(volume: Volume) -> np.ndarray:
    """LPS mm (3,) of the middle of the scan."""
    return volume.grid.lps_of((np.array(volume.grid.shape) - 1) / 2)
