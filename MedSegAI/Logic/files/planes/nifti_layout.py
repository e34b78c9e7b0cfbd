"""Where the voxels of a NIfTI-1 file lie (format: https://nifti.nimh.nih.gov/nifti-1)."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from MedSegAI.Logic.files.nifti_check import read_nifti_header, refuse_shear
from MedSegAI.Logic.files.planes.voxel_layout import VoxelLayout

_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}


def nifti_layout(path: Path) -> VoxelLayout | None:
    """Where the voxels of a .nii or .nii.gz file are, or None for a header that makes no sense.

    Raises:
        InputError: for NIfTI-2, or a matrix that is sheared beyond rounding.
        EOFError, zlib.error, gzip.BadGzipFile: if the compressed header does not decode.
    """
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if compressed else path.open("rb") as stream:
        header = read_nifti_header(stream, path)
    if header is None or header.datatype not in _TYPES:
        return None
    refuse_shear(header, path)
    dtype = np.dtype(header.order + _TYPES[header.datatype])
    slope, intercept = header.rescale
    # A slope of 0 means that there is none.
    same = slope == 0 or not np.isfinite([slope, intercept]).all() or (slope, intercept) == (1.0, 0.0)
    rescale = None if same else (slope, intercept)
    if compressed:
        return VoxelLayout(path, 0, dtype, compressed=True, inner_start=header.offset, rescale=rescale)
    return VoxelLayout(path, header.offset, dtype, rescale=rescale)
