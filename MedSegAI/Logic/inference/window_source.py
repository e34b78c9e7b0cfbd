"""What windows are cut out of: a prepared image, or a scan that is prepared a few planes ahead of the windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from MedSegAI.Logic.files.planes.planes_array import planes_of
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.inference.pointed_regions import AIR_HU
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.inference.windows import cut_window, overlap_of_window, planes_at_once
from MedSegAI.Logic.large.block_reader import BlockReader
from MedSegAI.Logic.large.point_wise import PointWise
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import ModelCard, ModelInput
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled
from MedSegAI.Logic.standardise.index_map import IndexMap
from MedSegAI.Logic.standardise.intensity_scale import IntensityScale, refuse_not_finite, scale_of_pieces
from MedSegAI.Logic.standardise.interpolate import COMPILED_FROM_VOXELS, interpolate, reach
from MedSegAI.Logic.standardise.interpolation import Interpolation
from MedSegAI.Logic.standardise.lattice_copy import common_lattice, copy_voxels
from MedSegAI.Logic.volume import Unit, Volume

_STAGE = "measuring intensities"
_ROUNDING = 1e-6


@runtime_checkable
class WindowSource(Protocol):
    """An image (channels, k, j, i) from which windows are cut, in ascending order of k."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(channels, k, j, i)."""

    def cut(self, start: Sequence[int], window: Sequence[int], *, fill: float = 0.0) -> np.ndarray:
        """One window as :func:`MedSegAI.Logic.inference.windows.cut_window` cuts it: (channels, *window) float32."""


class ArrayWindows:
    """Windows of an image (channels, k, j, i) in memory, or mapped into it."""

    def __init__(self, image: np.ndarray) -> None:
        self._image = image
        self.shape = image.shape

    def cut(self, start: Sequence[int], window: Sequence[int], *, fill: float = 0.0) -> np.ndarray:
        """As :class:`WindowSource` says."""
        return cut_window(self._image, start, window, fill=fill)


class PreparedWindows:
    """Windows of a region as the network wants them, of which only the planes under the current windows are kept.

    The voxels are those of :func:`MedSegAI.Logic.inference.prepare_region.prepare_region`: the same bits where scan and
    region share their voxels, else as near as interpolating a part is to interpolating the whole.

    Args:
        case: The scans in one space, in the card's order, in memory or on disk.
        region: The place in model space.
        card: The model's card.
        reporter: Told how far measuring a scan's intensities is, which the card's rule may want beforehand; asked
            whether to stop.

    Raises:
        InputError: if a voxel is not a finite number, or a file is cut short or damaged; later from :meth:`cut`, too.
        Cancelled: if the user asked to stop.
    """

    def __init__(self, case: InputScans, region: LocalisedRegion, card: ModelCard, *, reporter: Reporter) -> None:
        self.shape = (len(card.inputs), *region.grid.shape)
        self._region = region
        self._channels = [
            _Channel(case.by_name[wanted.name], region, wanted, reporter) if wanted.name in case.by_name else None
            for wanted in card.inputs
        ]
        self._at_once = planes_at_once(region.grid.shape)
        self._planes: dict[int, np.ndarray] = {}

    def cut(self, start: Sequence[int], window: Sequence[int], *, fill: float = 0.0) -> np.ndarray:
        """As :class:`WindowSource` says; planes below the window are forgotten."""
        (planes, *in_plane), (first, *in_window) = overlap_of_window(start, window, self.shape[1:])
        for k in [k for k in self._planes if k < planes.start]:
            del self._planes[k]
        cut = np.full((self.shape[0], *window), fill, dtype=np.float32)
        for k, place in zip(range(planes.start, planes.stop), range(first.start, first.stop)):
            if k not in self._planes:
                self._prepare(k)
            cut[(slice(None), place, *in_window)] = self._planes[k][(slice(None), *in_plane)]
        return cut

    def _prepare(self, first: int) -> None:
        """Prepare a few planes from ``first`` on."""
        last = min(first + self._at_once, self.shape[1])
        image = np.zeros((self.shape[0], last - first, *self.shape[2:]), dtype=np.float32)
        for out, channel in zip(image, self._channels):
            if channel is not None:
                out[...] = self._region.orient(channel.prepared(first, last))
        self._planes |= {k: image[:, k - first] for k in range(first, last)}


class _Channel:
    """One scan on a region's grid, a few planes at a time."""

    def __init__(self, volume: Volume, region: LocalisedRegion, wanted: ModelInput, reporter: Reporter) -> None:
        self._grid, self._source_shape = region.grid, volume.grid.shape
        self._map = IndexMap.between(volume.grid, region.grid)
        self._lattice = common_lattice(self._map, region.grid)
        self._margin = 1 if self._lattice is not None else reach(self._map, Interpolation.LINEAR)
        near = self._map.source_box(Box.whole(region.grid.shape), volume.grid.shape, margin=self._margin)
        # Decided for the whole, so that every part is interpolated in the same way.
        compiled = int(np.prod(near.shape)) + region.grid.voxel_count >= COMPILED_FROM_VOXELS
        self._compiled_from = 0 if compiled else 2**62
        source = planes_of(volume)
        # Windows are cut in a thread that must not ask the user.
        self._reader = BlockReader(source, PointWise.of(source, ()), SilentReporter())
        self._background = AIR_HU if wanted.unit is Unit.HOUNSFIELD else self._smallest(volume)
        self._scale = self._measured(wanted, reporter)

    def prepared(self, first: int, last: int) -> np.ndarray:
        """Normalised planes (last - first, j, i) float32."""
        voxels = self._resampled(first, last)
        self._scale.apply(voxels)
        return voxels

    def _resampled(self, first: int, last: int) -> np.ndarray:
        target = Box((first, 0, 0), (last, *self._grid.shape[1:]))
        source = self._map.source_box(target, self._source_shape, margin=self._margin)
        if source.is_empty:
            return np.full(target.shape, self._background, dtype=np.float32)
        block = self._reader.read(source)
        if self._lattice is not None:
            part = self._lattice.between_parts(source_start=source.start, target_start=target.start)
            voxels = copy_voxels(block, part, target.shape, self._background).astype(np.float32)
        else:
            voxels = interpolate(
                block,
                self._map.between_parts(source_start=source.start, target_start=target.start),
                target.shape,
                interpolation=Interpolation.LINEAR,
                background=self._background,
                dtype=np.dtype(np.float32),
                compiled_from=self._compiled_from,
            )
        refuse_not_finite(voxels)
        return voxels

    def _smallest(self, volume: Volume) -> float:
        """The scan's smallest value, which may have to be read for; 0 where no voxel lies beyond the scan."""
        corners = self._map.target_corners(self._grid.shape)
        edge = 0.5 - _ROUNDING
        inside = (corners.min(0) >= -edge) & (corners.max(0) <= np.array(self._source_shape) - 1 + edge)
        return 0.0 if inside.all() else float(volume.array.min())

    def _measured(self, wanted: ModelInput, reporter: Reporter) -> IntensityScale:
        depth, at_once = self._grid.shape[0], planes_at_once(self._grid.shape)

        def pieces() -> Iterator[np.ndarray]:
            for first in range(0, depth, at_once):
                raise_if_cancelled(reporter)
                reporter.progress(first, depth, _STAGE)
                yield self._resampled(first, min(first + at_once, depth))

        return scale_of_pieces(wanted.normalisation, pieces, count=self._grid.voxel_count)
