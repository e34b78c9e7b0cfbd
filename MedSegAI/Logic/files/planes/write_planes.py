"""An image file written a few planes at a time, whole or not at all."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import BinaryIO

import numpy as np

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.files.formats import ending_of
from MedSegAI.Logic.files.itk_quirks import itk_made_quiet
from MedSegAI.Logic.files.scan_fields import scan_fields
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Volume

_FASTEST = 1
_GZIP = 31
_TINY = (2, 2, 2)
_SEGMENTATION_FIELD = "Segmentation_ContainedRepresentationNames"
PLANE_ENDINGS = (".nrrd", ".nii", ".nii.gz", ".mha")


class Compression(str, Enum):
    """Whether an NRRD file is written smaller or faster; the ending says it for NIfTI, and MetaImage stays as it is."""

    NONE = "none"
    GZIP = "gzip"


class PlaneWriter:
    """Takes the planes of one scan in order.

    Args:
        file: Where they go, behind the header.
        shape: Of the whole scan (k, j, i).
        dtype: Of its voxels.
        compression: How the bytes are stored.
    """

    def __init__(self, file: BinaryIO, shape: tuple[int, int, int], dtype: np.dtype, compression: Compression) -> None:
        self._file, self._shape, self._dtype = file, shape, dtype
        self._encoder = None if compression is Compression.NONE else zlib.compressobj(_FASTEST, wbits=_GZIP)
        self._done = 0

    def write(self, planes: np.ndarray) -> None:
        """Append planes (n, j, i) of the dtype that was announced."""
        if planes.shape[1:] != self._shape[1:] or planes.dtype != self._dtype:
            raise ValueError(f"planes of {planes.shape[1:]} {planes.dtype} in a scan of {self._shape} {self._dtype}")
        for plane in planes:
            self._put(np.ascontiguousarray(plane).reshape(-1).view(np.uint8).data)
        self._done += len(planes)

    def start_with(self, header: bytes) -> None:
        """Put the header before the first plane, compressed with the planes."""
        self._put(header)

    def finish(self) -> None:
        """Write what the encoder still holds.

        Raises:
            ValueError: if planes are missing.
        """
        if self._done != self._shape[0]:
            raise ValueError(f"{self._done} of {self._shape[0]} planes were written")
        if self._encoder is not None:
            self._file.write(self._encoder.flush())

    def _put(self, data: bytes | memoryview) -> None:
        self._file.write(data if self._encoder is None else self._encoder.compress(data))


@contextmanager
def planes_written_to(
    path: str | os.PathLike[str],
    described: Volume,
    shape: tuple[int, int, int],
    *,
    compression: Compression = Compression.GZIP,
    metadata: Mapping[str, str] | None = None,
) -> Iterator[PlaneWriter]:
    """Yield a writer for one scan; when the block has ended well the file is in its place, else nothing is there.

    Args:
        path: .nrrd, .nii, .nii.gz or .mha; its folder must exist. A .seg.nrrd needs the fields of its segments.
        described: A volume that says all but the voxels: its dtype, place (origin, spacing, direction), modality, unit
            and steps are the file's; its own few voxels are not written.
        shape: Of the whole scan (k, j, i).
        compression: For NRRD.
        metadata: More fields for the header of an NRRD file.

    Raises:
        StorageError: if it cannot be written, or the ending is none of these.
    """
    ending = ending_of(path)
    if ending == ".seg.nrrd" and _SEGMENTATION_FIELD in (metadata or {}):
        ending = ".nrrd"
    if ending not in PLANE_ENDINGS:
        raise StorageError(
            f"'{path}' cannot be written a few planes at a time.", advice=f"End the name in {', '.join(PLANE_ENDINGS)}."
        )
    if ending != ".nrrd":
        compression = Compression.GZIP if ending == ".nii.gz" else Compression.NONE
    fields = {**scan_fields(described), **(metadata or {})} if ending == ".nrrd" else {}
    header = _header(described, shape, ending.removesuffix(".gz"), fields, compression)
    with write_beside(path) as beside, beside.open("wb") as file:
        writer = PlaneWriter(file, shape, described.array.dtype, compression)
        if ending == ".nrrd":
            file.write(header)
        else:
            writer.start_with(header)
        yield writer
        writer.finish()


def _header(
    described: Volume, shape: tuple[int, int, int], ending: str, fields: Mapping[str, str], compression: Compression
) -> bytes:
    """The header ITK would write: its own for a tiny scan at the same place, with the number of voxels changed."""
    import SimpleITK as sitk

    grid = described.grid
    place = Grid(_TINY, grid.spacing, grid.origin, grid.direction)
    tiny = Volume(np.zeros(_TINY, described.array.dtype), place).to_sitk()
    for key, value in fields.items():
        tiny.SetMetaData(key, value)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"tiny{ending}"
        with itk_made_quiet():
            sitk.WriteImage(tiny, str(path), useCompression=False)
        header = path.read_bytes()[: -8 * described.array.dtype.itemsize]
    if ending == ".nii":
        return header[:42] + np.array(shape[::-1], np.int16).tobytes() + header[48:]
    text = " ".join(map(str, shape[::-1])).encode()
    if ending == ".mha":
        return header.replace(b"DimSize = 2 2 2", b"DimSize = " + text, 1)
    header = header.replace(b"\nsizes: 2 2 2\n", b"\nsizes: " + text + b"\n", 1)
    if compression is Compression.GZIP:
        header = header.replace(b"\nencoding: raw\n", b"\nencoding: gzip\n", 1)
    return header
