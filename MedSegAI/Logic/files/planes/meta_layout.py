"""Where the voxels of a MetaImage file lie (format: https://itk.org/Wiki/ITK/MetaIO/Documentation)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.planes.voxel_layout import VoxelLayout

_TYPES = {"CHAR": "i1", "UCHAR": "u1", "SHORT": "i2", "USHORT": "u2", "INT": "i4", "UINT": "u4", "FLOAT": "f4"}
_TYPES |= {"DOUBLE": "f8", "LONG_LONG": "i8", "ULONG_LONG": "u8"}
_LONGEST_LINE = 10_000
_MOST_LINES = 1_000


def meta_layout(path: Path) -> VoxelLayout | None:
    """Where the voxels are, or None where they cannot be reached by counting bytes (text, many files).

    Raises:
        InputError: if the file with the voxels is missing.
    """
    with path.open("rb") as stream:
        fields: dict[str, str] = {}
        for _ in range(_MOST_LINES):
            name, found, value = stream.readline(_LONGEST_LINE).decode("latin-1").partition("=")
            if not found:
                return None
            fields[name.strip()] = value.strip()
            if name.strip() == "ElementDataFile":
                break
        start = stream.tell()
    code = _TYPES.get(fields.get("ElementType", "").removeprefix("MET_"))
    plain = _says_yes(fields, "BinaryData", "True") and float(fields.get("ElementToIntensityFunctionSlope", 1)) == 1
    where = fields.get("ElementDataFile", "")
    if code is None or not plain or not where or "%" in where or where.upper().startswith("LIST"):
        return None
    big = _says_yes(fields, "BinaryDataByteOrderMSB") or _says_yes(fields, "ElementByteOrderMSB")
    dtype = np.dtype((">" if big else "<") + code)
    compressed = _says_yes(fields, "CompressedData")
    if where.upper() == "LOCAL":
        return VoxelLayout(path, start, dtype, compressed)
    data = path.parent / where
    if not data.is_file():
        raise InputError(f"The voxel file '{data}' is missing.", advice="Copy it beside its header.")
    skip = int(fields.get("HeaderSize", "0"))
    if skip < 0:
        count = int(np.prod([int(size) for size in fields["DimSize"].split()]))
        skip = max(0, data.stat().st_size - count * dtype.itemsize)
    return VoxelLayout(data, skip, dtype, compressed)


def _says_yes(fields: dict[str, str], name: str, otherwise: str = "False") -> bool:
    return fields.get(name, otherwise).casefold() in ("true", "1")
