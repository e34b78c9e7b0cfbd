"""Voxels of one scan in the model's space, the whole of them in memory or read a part at a time.

A scan is brought to the model's axes and spacing and normalised as the supervised training does it. A scan too large to
be held is read where a patch needs it; the figures its intensities are normalised by come from planes spread over it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.plane_source import PlaneSource
from MedSegAI.Logic.files.planes.open_planes import open_planes
from MedSegAI.Logic.geometry import Box, Grid, Shape, Triple
from MedSegAI.Logic.large.planned import bytes_held_by
from MedSegAI.Logic.standardise.index_map import IndexMap
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.standardise.interpolate import reach
from MedSegAI.Logic.standardise.interpolation import Interpolation
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.standardise.resample import canonical_grid, resample
from MedSegAI.Logic.training.pretrain.label_maps import looks_like_labels
from MedSegAI.Logic.volume import Volume

_SAMPLED_VOXELS = 1 << 22


class ScanVoxels(Protocol):
    """One scan in model space: axes i to Right, j to Anterior, k to Superior."""

    shape: Shape
    """Of the whole scan (k, j, i)."""
    held_bytes: int
    """Memory that it takes as long as it is kept."""

    def block(self, box: Box) -> np.ndarray:
        """Normalised voxels (k, j, i) float32 of a box inside the scan.

        Raises:
            InputError: for a file that is cut short or damaged.
        """


class HeldScan:
    """A scan whose normalised voxels are in memory."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array
        self.shape: Shape = array.shape
        self.held_bytes = array.nbytes

    def block(self, box: Box) -> np.ndarray:
        """A view; see ``ScanVoxels``."""
        return self._array[box.slices]


class ReadScan:
    """A scan of which no more is read than a block needs."""

    def __init__(self, source: PlaneSource, grid: Grid, scaling: Scaling) -> None:
        self._source, self._grid, self._scaling = source, grid, scaling
        self._map = IndexMap.between(source.grid, grid)
        self.shape: Shape = grid.shape
        # A file that cannot be read in parts is in memory already.
        self.held_bytes = bytes_held_by(source)

    def block(self, box: Box) -> np.ndarray:
        """Read, resampled and normalised; see ``ScanVoxels``."""
        source = self._source
        near = self._map.source_box(box, source.grid.shape, margin=reach(self._map, Interpolation.LINEAR))
        try:
            planes = source.planes(near.start[0], near.stop[0])
        finally:
            source.close()
        part = np.ascontiguousarray(planes[(slice(None), *near.slices[1:])])
        volume = Volume(part, source.grid.crop(near), name=source.name)
        moved = resample(volume, self._grid.crop(box), background=self._scaling.low)
        return self._scaling.apply(moved.array)


@dataclass(frozen=True)
class Scaling:
    """How a scan's intensities become the network's: ``(clipped - offset) * gain``.

    Args:
        low, high: Limits that are clipped to, in the scan's unit.
        offset, gain: What follows.
    """

    low: float
    high: float
    offset: float
    gain: float

    @classmethod
    def of(cls, sample: np.ndarray, rule: Normalisation) -> Scaling:
        """The scaling that ``normalise`` would do, if the scan were no more than the sample."""
        values = sample.astype(np.float32)
        low, high = float(values.min()), float(values.max())
        if rule.clip_values is not None:
            low, high = rule.clip_values
        elif rule.clip_percentiles is not None:
            low, high = (float(value) for value in np.percentile(values, rule.clip_percentiles))
        clipped = np.clip(values, low, high)
        scaled = normalise(values, rule)
        least, most = float(clipped.min()), float(clipped.max())
        if most <= least:
            return cls(low, high, 0.0, 0.0)
        gain = float(scaled.max() - scaled.min()) / (most - least)
        return cls(low, high, least - float(scaled.min()) / gain if gain else 0.0, gain)

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Scaled voxels, float32."""
        voxels = np.clip(array.astype(np.float32), np.float32(self.low), np.float32(self.high))
        voxels -= np.float32(self.offset)
        voxels *= np.float32(self.gain)
        return voxels


def open_scan(
    path: Path, *, spacing_mm: Triple | None, normalisation: Normalisation, most_held_bytes: int
) -> ScanVoxels:
    """Open a scan; one that takes no more than ``most_held_bytes`` as float32 in model space is read whole.

    Raises:
        InputError: if it cannot be read, is no 3D scan, has voxels that are all alike or not finite, or holds labels.
    """
    source = open_planes(path)
    try:
        grid = canonical_grid(source.grid, spacing_mm=spacing_mm)
        whole = max(grid.voxel_count, source.grid.voxel_count) * np.dtype(np.float32).itemsize <= most_held_bytes
        planes = source.planes(0, source.grid.shape[0]) if whole else _spread_planes(source)
        _refuse_useless(planes, path)
    finally:
        source.close()
    if not whole:
        return ReadScan(source, grid, Scaling.of(planes, normalisation))
    moved = resample(Volume(np.asarray(planes), source.grid, name=source.name), grid).array
    return HeldScan(normalise(moved, normalisation))


def _spread_planes(source: PlaneSource) -> np.ndarray:
    """Planes at even distances, some four million voxels in all, read from front to back."""
    count, *plane = source.grid.shape
    step = max(1, math.ceil(count * plane[0] * plane[1] / _SAMPLED_VOXELS))
    return np.concatenate([source.planes(k, k + 1) for k in range(step // 2, count, step)])


def _refuse_useless(planes: np.ndarray, path: Path) -> None:
    if planes.min() == planes.max():
        raise InputError(f"'{path}' holds no picture: its voxels are all alike.", advice="Check the export.")
    if looks_like_labels(planes):
        raise InputError(
            f"'{path}' looks like a label map, not a scan: it holds few whole values in even patches.",
            advice="Name the folder of the images, not that of the labels.",
        )
