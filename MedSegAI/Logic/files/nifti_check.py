"""What ITK does not say about a NIfTI file: that it is cut, that it holds NaN, that its matrix is sheared.

ITK fills a cut file with zeros, turns NaN and infinity into 0, and replaces a matrix it cannot use by another one, each
without a word. So the header (NIfTI-1 standard, https://nifti.nimh.nih.gov/nifti-1) and the voxels are looked at once
here before ITK has them.
"""

from __future__ import annotations

import gzip
import logging
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from MedSegAI.Logic.errors import InputError

_log = logging.getLogger(__name__)
_CHUNK = 1 << 20
_HEADER_BYTES = {348: "NIfTI-1", 540: "NIfTI-2"}
_FLOATS = {16: "f4", 64: "f8"}
_SHEAR_TOLERANCE_MM = 0.25


@dataclass(frozen=True)
class NiftiHeader:
    """The fields of a NIfTI-1 header that are looked at.

    Args:
        order: Byte order, "<" or ">".
        dim: Number of axes, then the voxels along each.
        datatype: The standard's number for the type of a voxel.
        bits: Of a voxel.
        offset: Where the voxels begin, in bytes.
        rescale: Slope and intercept of the stored values.
        qform_code: Whether, and in which space, a quaternion places the scan.
        sform_code: The same for the matrix.
        sform: 3 x 4, RAS mm.
    """

    order: str
    dim: tuple[int, ...]
    datatype: int
    bits: int
    offset: int
    rescale: tuple[float, float]
    qform_code: int
    sform_code: int
    sform: np.ndarray

    @property
    def voxel_bytes(self) -> int:
        """Bytes that the voxels must take."""
        return int(np.prod([max(1, n) for n in self.dim[1 : 1 + self.dim[0]]], dtype=np.int64)) * self.bits // 8


def refuse_bad_nifti(path: Path) -> None:
    """Look at the header and every voxel of a .nii or .nii.gz file.

    Raises:
        InputError: if it is cut short, holds voxels that are not finite, is placed by a matrix that is sheared beyond
            rounding, or is NIfTI-2. A file whose header makes no sense is left for ITK to refuse.
        EOFError, zlib.error, gzip.BadGzipFile: if its compressed data end early or do not decode.
    """
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if zipped else path.open("rb") as stream:
        header = read_nifti_header(stream, path)
        if header is None:
            return
        refuse_shear(header, path)
        _refuse_bad_voxels(header, stream, path)


def read_nifti_header(stream: BinaryIO, path: Path) -> NiftiHeader | None:
    """The header at the start of a decoded stream, or None for one that makes no sense.

    Raises:
        InputError: for NIfTI-2.
    """
    head = stream.read(348)
    for order in "<>":
        kind = _HEADER_BYTES.get(struct.unpack_from(f"{order}i", head)[0]) if len(head) == 348 else None
        if kind == "NIfTI-2":
            raise InputError(f"'{path}' is a NIfTI-2 file, which cannot be read.", advice="Save it as NIfTI-1 or NRRD.")
        if kind and head[344:347] == b"n+1":
            return NiftiHeader(
                order,
                struct.unpack_from(f"{order}8h", head, 40),
                *struct.unpack_from(f"{order}2h", head, 70),
                int(struct.unpack_from(f"{order}f", head, 108)[0]),
                struct.unpack_from(f"{order}2f", head, 112),
                *struct.unpack_from(f"{order}2h", head, 252),
                np.array(struct.unpack_from(f"{order}12f", head, 280)).reshape(3, 4),
            )
    return None


def refuse_shear(header: NiftiHeader, path: Path) -> None:
    """Raise :class:`InputError` where the matrix is sheared beyond rounding; warn where there is none at all."""
    if header.sform_code <= 0:
        if header.qform_code <= 0:
            _log.warning("'%s' does not say how it lies in the patient: left and right may be swapped.", path)
        return
    axes = header.sform[:, :3]
    lengths = np.linalg.norm(axes, axis=0)
    if np.all(np.isfinite(header.sform)) and lengths.min() > 0:
        # Cosines between the axes, times how far each reaches: by how many mm the far corner is off a right angle.
        cosines = np.abs((axes / lengths).T @ (axes / lengths) - np.eye(3))
        if (cosines * (lengths * np.abs(header.dim[1:4]))).max() <= _SHEAR_TOLERANCE_MM:
            return
    raise InputError(
        f"'{path}' is placed by a matrix whose axes are not perpendicular: sheared, zero or no numbers.",
        advice="Resample it to a regular grid, or convert the original DICOM again.",
    )


def _refuse_bad_voxels(header: NiftiHeader, stream: BinaryIO, path: Path) -> None:
    """Count the bytes and the voxels that are not finite; reading to the end makes gzip verify its checksum."""
    stream.read(max(0, header.offset - 348))
    kind = _FLOATS.get(header.datatype)
    dtype = np.dtype(header.order + kind) if kind else None
    found = bad = 0
    for chunk in iter(lambda: stream.read(_CHUNK), b""):
        if dtype:
            whole = min(len(chunk), max(0, header.voxel_bytes - found)) // dtype.itemsize
            numbers = np.frombuffer(chunk, dtype, count=whole)
            bad += int(whole - np.count_nonzero(np.isfinite(numbers)))
        found += len(chunk)
    if found < header.voxel_bytes:
        raise InputError(
            f"'{path}' is cut short or damaged: it holds {found:,} of the {header.voxel_bytes:,} bytes of voxels its "
            "header promises.",
            advice="Copy or download the file again.",
        )
    if bad:
        raise not_finite(path, bad, header.voxel_bytes // (header.bits // 8))


def not_finite(path: Path, bad: int, total: int) -> InputError:
    """The refusal of a scan with ``bad`` voxels of ``total`` that are NaN or infinite."""
    return InputError(
        f"'{path}' has {bad:,} voxels of {total:,} that are not finite numbers (NaN or infinite).",
        advice="Mend them, for example by setting them to the background value, or export the scan again.",
    )
