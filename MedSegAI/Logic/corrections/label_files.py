"""The files that a journal's entries point to: labels inside a box, and tables of names, each named by its SHA-256.

Labels lie in NRRD files (a text header with the place in the patient, a blank line, gzip), which 3D Slicer and ITK open
as they are; tables are JSON.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.geometry import Shape
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.volume import Volume

ARRAYS = "arrays"
TABLES = "tables"
_LEVEL = 6
_RESTORE = "Restore the case's folder from a backup."


def array_name(digest: str) -> str:
    """Path of a label file inside the case's folder."""
    return f"{ARRAYS}/{digest}.nrrd"


def table_name(digest: str) -> str:
    """Path of a table file inside the case's folder."""
    return f"{TABLES}/{digest}.json"


def array_bytes(labels: Volume) -> bytes:
    """The NRRD file of a uint8 label map (k, j, i); the same labels give the same bytes."""
    grid = labels.grid
    vectors = grid.direction_matrix * np.asarray(grid.spacing)
    header = [
        "NRRD0004",
        "type: uint8",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, grid.size))}",
        f"space directions: {' '.join(_point(vectors[:, axis]) for axis in range(3))}",
        "kinds: domain domain domain",
        "encoding: gzip",
        f"space origin: {_point(grid.origin)}",
        "\n",
    ]
    content = np.ascontiguousarray(labels.array, dtype=np.uint8).data
    return "\n".join(header).encode() + gzip.compress(content, _LEVEL, mtime=0)


def table_bytes(table: LabelTable) -> bytes:
    """The JSON file of a table; the same table gives the same bytes."""
    return (json.dumps(table.to_plain(), ensure_ascii=False, indent=1) + "\n").encode()


def digest_of(content: bytes) -> str:
    """SHA-256 of a file's content, hex."""
    return hashlib.sha256(content).hexdigest()


def read_array(folder: Path, digest: str, *, shape: Shape) -> np.ndarray:
    """The labels uint8 (k, j, i) of a box of ``shape`` from the file named ``digest``.

    Raises:
        InputError: if the file is missing, was changed, or holds another number of voxels.
    """
    content = _checked(folder / array_name(digest), digest)
    # One byte more than wanted, so that a longer file is noticed without being unpacked as a whole.
    wanted = shape[0] * shape[1] * shape[2]
    unpacking = zlib.decompressobj(wbits=31)
    try:
        voxels = unpacking.decompress(content.partition(b"\n\n")[2], wanted + 1)
    except zlib.error as error:
        raise InputError(f"'{folder / array_name(digest)}' holds no labels.", advice=_RESTORE) from error
    if len(voxels) != wanted:
        raise InputError(
            f"'{folder / array_name(digest)}' does not hold the {wanted} voxels of its box.", advice=_RESTORE
        )
    return np.frombuffer(voxels, np.uint8).reshape(shape)


def read_table(folder: Path, digest: str) -> LabelTable:
    """The table in the file named ``digest``.

    Raises:
        InputError: if the file is missing or was changed, or is no table.
    """
    path = folder / table_name(digest)
    try:
        return LabelTable.from_plain(json.loads(_checked(path, digest)))
    except (ValueError, KeyError, TypeError, LabelError) as error:
        raise InputError(f"'{path}' is no table of labels.", advice=_RESTORE) from error


def _checked(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}.", advice=_RESTORE) from error
    if digest_of(content) != digest:
        raise InputError(f"'{path}' was changed: its content does not have the SHA-256 of its name.", advice=_RESTORE)
    return content


def _point(values: np.ndarray | tuple[float, ...]) -> str:
    return "(" + ",".join(f"{float(value):.17g}" for value in values) + ")"
