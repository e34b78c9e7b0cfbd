"""Where the voxels of an NRRD file lie (format: http://teem.sourceforge.net/nrrd/format.html)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.planes.voxel_layout import VoxelLayout

_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_LONGEST_LINE = 1 << 24


def nrrd_layout(path: Path) -> VoxelLayout | None:
    """Where the voxels are, or None where they cannot be reached by counting bytes (text, bzip2, many files).

    Raises:
        InputError: if the file with the voxels is missing.
    """
    with path.open("rb") as stream:
        if not stream.readline(100).startswith(b"NRRD"):
            return None
        fields: dict[str, str] = {}
        for line in iter(lambda: stream.readline(_LONGEST_LINE).rstrip(b"\r\n"), b""):
            name, found, value = line.decode("latin-1").partition(": ")
            if found and not line.startswith(b"#"):
                fields[name.lower().replace(" ", "")] = value.strip()
        start = stream.tell()
    dtype = _dtype(fields)
    encoding = fields.get("encoding", "").lower()
    if dtype is None or encoding not in ("raw", "gzip", "gz"):
        return None
    compressed = encoding != "raw"
    detached = fields.get("datafile")
    if detached is None:
        return VoxelLayout(path, start, dtype, compressed)
    skips = fields.get("lineskip", "0"), fields.get("byteskip", "0")
    if "%" in detached or detached.upper().startswith("LIST") or skips[0] != "0":
        return None
    return _detached(path.parent / detached, dtype, skips[1], fields, compressed)


def _detached(
    data: Path, dtype: np.dtype, byte_skip: str, fields: dict[str, str], compressed: bool
) -> VoxelLayout | None:
    if not data.is_file():
        raise InputError(f"The voxel file '{data}' is missing.", advice="Copy it beside its header.")
    if byte_skip == "-1" and not compressed:
        count = int(np.prod([int(size) for size in fields["sizes"].split()]))
        return VoxelLayout(data, max(0, data.stat().st_size - count * dtype.itemsize), dtype)
    if not byte_skip.isdigit() or (compressed and byte_skip != "0"):
        return None
    return VoxelLayout(data, int(byte_skip), dtype, compressed)


def _dtype(fields: dict[str, str]) -> np.dtype | None:
    wanted = " ".join(fields.get("type", "").lower().split())
    code = next((code for code, names in _TYPES.items() if wanted in names), None)
    if code is None:
        return None
    order = {"little": "<", "big": ">"}.get(fields.get("endian", "").lower(), "=" if code[1] == "1" else "")
    return np.dtype(order + code) if order else None
