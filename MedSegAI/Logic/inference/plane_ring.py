"""Weighted averaging of overlapping windows in a ring of planes, so that memory does not grow with the volume's depth.

Windows arrive in ascending order of k. A plane below the next window's first plane can gain nothing more: it is handed
out, cleared and its memory used again. The ring therefore never holds more planes than a window is deep.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from MedSegAI.Logic.inference.windows import gaussian_weights, overlap_of_window


@dataclass(frozen=True)
class Plane:
    """One finished plane.

    Args:
        k: Its index in the volume.
        total: Weighted sum of the windows' values (channels, j, i) float32; a view, valid until the next plane.
        weight: Sum of the weights (j, i) float32, 0 where no window was added; None unless the ring keeps weights.
    """

    k: int
    total: Tensor
    weight: Tensor | None

    @property
    def mean(self) -> Tensor:
        """Weighted mean (channels, j, i) float32; 0 where no window was added. Needs a ring that keeps weights."""
        covered = torch.where(self.weight > 0, self.weight, 1.0)
        return self.total / covered


class PlaneRing:
    """Sums of Gaussian-weighted windows, at most one window deep.

    Args:
        shape: The volume's extent (k, j, i).
        window: The windows' extent (k, j, i); may exceed the volume's.
        channels: Number of values a voxel has.
        keep_weights: Whether planes carry the sum of weights. Weights are common to all channels, so an argmax
            needs none; a mean does.
        device: Where the sums live.
    """

    def __init__(
        self, shape: Sequence[int], window: Sequence[int], *, channels: int, keep_weights: bool, device: str = "cpu"
    ) -> None:
        self._shape = tuple(shape)
        self._window = tuple(window)
        self._depth = min(shape[0], window[0])
        self._next_plane = 0
        self._window_weights = torch.from_numpy(gaussian_weights(window)).to(device)
        self._totals = torch.zeros((self._depth, channels, *self._shape[1:]), device=device)
        self._weights = torch.zeros((self._depth, *self._shape[1:]), device=device) if keep_weights else None

    @property
    def depth(self) -> int:
        """Number of planes of the volume."""
        return self._shape[0]

    @property
    def nbytes(self) -> int:
        """Bytes of the sums."""
        return self._totals.nbytes + (0 if self._weights is None else self._weights.nbytes)

    def add(self, start: Sequence[int], values: Tensor) -> None:
        """Add one window.

        Args:
            start: Its first voxel (k, j, i); k must not lie below a plane already handed out.
            values: (channels, *window) float32, on any device.
        """
        (planes, *in_plane), (first, *in_window) = overlap_of_window(start, self._window, self._shape)
        if planes.start < self._next_plane:
            raise ValueError(f"The window at {tuple(start)} comes after plane {self._next_plane - 1} was handed out.")
        values = values.to(self._totals.device)
        for slots, part in self._runs_of_slots(planes, first.start):
            weights = self._window_weights[(part, *in_window)]
            cut = values[(slice(None), part, *in_window)].transpose(0, 1)
            self._totals[(slots, slice(None), *in_plane)].addcmul_(cut, weights[:, None])
            if self._weights is not None:
                self._weights[(slots, *in_plane)] += weights

    def planes_below(self, k: int) -> Iterator[Plane]:
        """Hand out, in ascending order, the planes below ``k`` not handed out yet."""
        for plane in range(self._next_plane, min(k, self._shape[0])):
            slot = plane % self._depth
            weight = None if self._weights is None else self._weights[slot]
            yield Plane(plane, self._totals[slot], weight)
            self._totals[slot].zero_()
            if weight is not None:
                weight.zero_()
            self._next_plane = plane + 1

    def move_to(self, device: str) -> None:
        """Carry the sums over to another device and free the old memory."""
        self._window_weights = self._window_weights.to(device)
        self._totals = self._totals.to(device)
        self._weights = None if self._weights is None else self._weights.to(device)

    def _runs_of_slots(self, planes: slice, first_in_window: int) -> Iterator[tuple[slice, slice]]:
        """Consecutive slots of the ring for ``planes``, each with the planes of the window that go there."""
        plane = planes.start
        while plane < planes.stop:
            slot = plane % self._depth
            length = min(planes.stop - plane, self._depth - slot)
            offset = first_in_window + plane - planes.start
            yield slice(slot, slot + length), slice(offset, offset + length)
            plane += length
