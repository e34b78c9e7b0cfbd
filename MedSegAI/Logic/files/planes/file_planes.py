"""The planes of a NIfTI, NRRD or MetaImage file, read when they are asked for."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.planes.inflate_stream import InflateStream
from MedSegAI.Logic.files.planes.voxel_layout import VoxelLayout
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit


class FilePlanes:
    """One scan in one file; see :class:`~MedSegAI.Logic.files.plane_source.PlaneSource`.

    Voxels are read, not mapped into memory, so that they never count as memory of this program. A compressed file is
    decoded from front to back; going back decodes it again from its beginning.

    Args:
        path: What messages name.
        layout: Where the voxels lie.
        grid: The scan's grid, LPS mm.
        dtype: Of the values after rescaling.
        name: What the user calls it.

    Raises:
        InputError: if the file is too short for the grid.
    """

    def __init__(self, path: Path, layout: VoxelLayout, *, grid: Grid, dtype: np.dtype, name: str) -> None:
        self.path, self.grid, self.dtype, self.name = path, grid, dtype, name
        self.modality, self.unit = Modality.UNKNOWN, Unit.ARBITRARY
        self.frame_of_reference = ""
        self.steps: tuple[StepRecord, ...] = ()
        self.acquisition: Mapping[str, Any] = {}
        self._layout = layout
        self._stream: InflateStream | None = None
        wanted = grid.voxel_count * layout.dtype.itemsize
        if not layout.compressed and layout.path.stat().st_size < layout.start + wanted:
            found = max(0, layout.path.stat().st_size - layout.start)
            raise self._cut(f"it holds {found:,} of the {wanted:,} bytes of voxels its header promises")

    def planes(self, start: int, stop: int) -> np.ndarray:
        """The voxels (stop - start, j, i), rescaled, in this machine's byte order.

        Raises:
            InputError: for a file that is cut short or damaged, or voxels that are not finite.
        """
        stored = np.empty((stop - start, *self.grid.shape[1:]), self._layout.dtype)
        try:
            self._fill(memoryview(stored.reshape(-1).view(np.uint8)), start, stop)
        except (EOFError, zlib.error) as error:
            raise self._cut("its compressed data end early or do not decode") from error
        except OSError as error:
            raise InputError(
                f"'{self.path}' could not be read: {error.strerror or error}.", advice="Check the disk."
            ) from error
        array = self._rescaled(stored)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError(
                f"'{self.path}' has voxels that are not finite numbers (NaN or infinite).",
                advice="Mend them, for example by setting them to the background value, or export the scan again.",
            )
        return array

    @property
    def is_compressed(self) -> bool:
        """Whether going back means to decode from the beginning."""
        return self._layout.compressed

    def close(self) -> None:
        """Let go of the file."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def _fill(self, buffer: memoryview, start: int, stop: int) -> None:
        layout = self._layout
        plane = self.grid.shape[1] * self.grid.shape[2] * layout.dtype.itemsize
        if not layout.compressed:
            with layout.path.open("rb", buffering=0) as file:
                file.seek(layout.start + start * plane)
                _read_exactly(file, buffer)
            return
        place = layout.inner_start + start * plane
        if self._stream is None or self._stream.position > place:
            self.close()
            self._stream = InflateStream(layout.path, layout.start)
        self._stream.skip(place - self._stream.position)
        self._stream.read_into(buffer)
        if stop == self.grid.shape[0]:
            self._stream.finish()

    def _rescaled(self, stored: np.ndarray) -> np.ndarray:
        if self._layout.rescale is not None:
            slope, intercept = self._layout.rescale
            # A plane at a time, so that the wider numbers in between stay few.
            values = np.empty(stored.shape, self.dtype)
            for plane, out in zip(stored, values):
                out[...] = plane.astype(np.float64) * slope + intercept
            return values
        return stored if stored.dtype == self.dtype else stored.astype(self.dtype)

    def _cut(self, reason: str) -> InputError:
        return InputError(
            f"'{self.path}' is cut short or damaged: {reason}.", advice="Copy or download the file again."
        )


def _read_exactly(file: Any, buffer: memoryview) -> None:
    """Fill the buffer; one call may give less than was asked for (Linux stops at 2 GiB)."""
    filled = 0
    while filled < len(buffer):
        count = file.readinto(buffer[filled:])
        if not count:
            raise EOFError
        filled += count
