"""A compressed scan that must be read back and forth, decoded once into a file that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from MedSegAI.Logic.files.atomic import storage_error
from MedSegAI.Logic.files.plane_source import PlaneSource
from MedSegAI.Logic.files.planes.file_planes import FilePlanes
from MedSegAI.Logic.files.planes.voxel_layout import VoxelLayout
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.large.planned import READ_AT_ONCE_BYTES
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.standardise.index_map import IndexMap

_OPEN_FILES = Path("/proc/self/fd")


@contextmanager
def decoded_where_needed(
    source: PlaneSource, target: Grid, folder: Path, *, reporter: Reporter
) -> Iterator[PlaneSource]:
    """Yield a scan whose planes can be read in the order in which those of ``target`` want them.

    A compressed file is decoded from front to back, so one whose planes run another way than the target's would be
    decoded again and again; that one is decoded once into ``folder``.

    Raises:
        InputError, StorageError, Cancelled: as :func:`decoded_once`.
    """
    matrix = IndexMap.between(source.grid, target).matrix[:3, :3]
    runs_along = matrix[2, 2] > 0 and abs(matrix[2, 2]) == np.abs(matrix[2]).max()
    if runs_along or not (isinstance(source, FilePlanes) and source.is_compressed):
        yield source
        return
    with decoded_once(source, folder, reporter=reporter) as decoded:
        yield decoded


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
    with ExitStack() as stack:
        try:
            file, path = stack.enter_context(_room_for_voxels(folder))
            for start in range(0, count, at_once):
                raise_if_cancelled(reporter)
                reporter.progress(start, count, "decoding")
                file.write(source.planes(start, min(start + at_once, count)).data)
            file.flush()
        except OSError as error:
            raise storage_error(folder / source.name, error) from error
        layout = VoxelLayout(path, 0, source.dtype)
        decoded = FilePlanes(path, layout, grid=source.grid, dtype=source.dtype, name=source.name)
        decoded.modality, decoded.unit, decoded.steps = source.modality, source.unit, source.steps
        decoded.frame_of_reference, decoded.acquisition = source.frame_of_reference, source.acquisition
        yield decoded


@contextmanager
def _room_for_voxels(folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Yield a file to write and the path that reads it.

    Linux gives a path to an open file without a name, which is gone with this process even if it is killed.
    """
    if _OPEN_FILES.is_dir():
        with tempfile.TemporaryFile(dir=folder) as file:
            yield file, _OPEN_FILES / str(file.fileno())
        return
    with tempfile.TemporaryDirectory(prefix=".medsegai-decoding-", dir=folder) as room:
        path = Path(room) / "voxels"
        with path.open("wb") as file:
            yield file, path
