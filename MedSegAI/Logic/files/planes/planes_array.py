"""The voxels of a scan on disk in the place of an array: what is asked for is read, the rest stays in the file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from MedSegAI.Logic.files.plane_source import PlaneSource
from MedSegAI.Logic.files.planes.volume_planes import VolumePlanes
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Volume

_READ_AT_ONCE_BYTES = 16 << 20


class PlanesArray:
    """Stands for the array (k, j, i) of a :class:`~MedSegAI.Logic.volume.Volume`.

    A slice of it is an array in memory. Whatever treats it as an array of its own (``np.asarray``) reads all of it.

    Args:
        source: The scan.
    """

    ndim = 3

    def __init__(self, source: PlaneSource) -> None:
        self.source = source
        self.shape, self.dtype = source.grid.shape, source.dtype

    @property
    def size(self) -> int:
        """Number of voxels."""
        return self.source.grid.voxel_count

    def __len__(self) -> int:
        """Number of planes."""
        return self.shape[0]

    def __getitem__(self, index: object) -> np.ndarray:
        """The voxels at ``index``, a number or slice for each of up to three axes, as numpy has them."""
        first, *others = index if isinstance(index, tuple) else (index,)
        if not isinstance(first, slice):
            k = range(self.shape[0])[first]
            return self.source.planes(k, k + 1)[0][tuple(others)]
        wanted = range(self.shape[0])[first]
        parts = [self._planes(some)[(slice(None), *others)] for some in self._few_at_once(wanted)]
        if not parts:
            return np.empty((0, *self.shape[1:]), self.dtype)[(slice(None), *others)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        """All voxels, read into memory."""
        array = self[:]
        return array if dtype is None else array.astype(dtype, copy=False)

    def min(self) -> float:
        """The smallest voxel; every plane is read once."""
        return min(self._planes(some).min() for some in self._few_at_once(range(self.shape[0])))

    def max(self) -> float:
        """The largest voxel; every plane is read once."""
        return max(self._planes(some).max() for some in self._few_at_once(range(self.shape[0])))

    def _planes(self, wanted: range) -> np.ndarray:
        low, high = min(wanted), max(wanted)
        planes = self.source.planes(low, high + 1)
        return planes[[k - low for k in wanted]] if wanted.step != 1 else planes

    def _few_at_once(self, wanted: range) -> list[range]:
        plane = self.shape[1] * self.shape[2] * self.dtype.itemsize
        count = max(1, _READ_AT_ONCE_BYTES // (plane * abs(wanted.step)))
        return [wanted[start : start + count] for start in range(0, len(wanted), count)]


def on_disk(source: PlaneSource) -> Volume:
    """A scan whose voxels stay in its file until they are asked for; the file must stay open as long."""
    described = Volume(np.zeros((1, 1, 1), np.uint8), Grid((1, 1, 1)))
    return replace(
        described,
        array=PlanesArray(source),
        grid=source.grid,
        modality=source.modality,
        unit=source.unit,
        name=source.name,
        frame_of_reference=source.frame_of_reference,
        steps=source.steps,
        acquisition=source.acquisition,
    )


def planes_of(volume: Volume) -> PlaneSource:
    """A scan in memory or on disk, to be read a few planes at a time."""
    return volume.array.source if isinstance(volume.array, PlanesArray) else VolumePlanes(volume)


def is_on_disk(volume: Volume) -> bool:
    """Whether the voxels are still in their file."""
    return isinstance(volume.array, PlanesArray)
