"""A compressed scan that must be read back and forth, decoded once into a file that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from MedSegAI.Logic.files.atomic import storage_error
from MedSegAI.Logic.files.plane_source import PlaneSource
from MedSegAI.Logic.files.planes.file_planes import FilePlanes
from MedSegAI.Logic.files.planes.voxel_layout import VoxelLayout
from MedSegAI.Logic.large.planned import READ_AT_ONCE_BYTES
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled


@contextmanager
def decoded_once(source: PlaneSource, folder: Path, *, reporter: Reporter) -> Iterator[PlaneSource]:
    """Yield the same scan from an uncompressed file in ``folder``, which is removed when the block ends.

    Raises:
        InputError: for a file that is cut short or damaged.
        StorageError: if the folder has no room for it.
        Cancelled: if the reporter asked to stop.
    """
    _, rows, columns = source.grid.shape
    count, at_once = source.grid.shape[0], max(1, READ_AT_ONCE_BYTES // (rows * columns * source.dtype.itemsize))
    with tempfile.TemporaryDirectory(prefix=".medsegai-decoding-", dir=folder) as room:
        path = Path(room) / "voxels"
        try:
            with path.open("wb") as file:
                for start in range(0, count, at_once):
                    raise_if_cancelled(reporter)
                    reporter.progress(start, count, "decoding")
                    file.write(source.planes(start, min(start + at_once, count)).data)
        except OSError as error:
            raise storage_error(path, error) from error
        layout = VoxelLayout(path, 0, source.dtype)
        decoded = FilePlanes(path, layout, grid=source.grid, dtype=source.dtype, name=source.name)
        decoded.modality, decoded.unit, decoded.steps = source.modality, source.unit, source.steps
        decoded.frame_of_reference, decoded.acquisition = source.frame_of_reference, source.acquisition
        yield decoded
