"""Arrays as ``.npy`` files, written some planes at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np

from MedSegAI.Logic.errors import Cancelled
from MedSegAI.Logic.files.atomic import storage_error

_BYTES_AT_ONCE = 1 << 26


class Digest(Protocol):
    """What is told of every byte, such as ``hashlib.sha256()``."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take in some bytes."""


def never() -> bool:
    """Nobody asks to stop."""
    return False


def write_array(
    path: Path, array: np.ndarray, *, stopped: Callable[[], bool] = never, digest: Digest | None = None
) -> None:
    """Write ``array`` (k, j, i) as ``.npy``: a cancel need not wait for the disk.

    Args:
        path: The file.
        array: Any dtype that numpy can describe; it must not change meanwhile.
        stopped: Asked every few planes whether to give up.
        digest: Told of every byte of the file.

    Raises:
        StorageError: if it cannot be written: disk full, no permission; no file is left.
        Cancelled: if ``stopped`` said so; no file is left.
    """
    try:
        with path.open("wb") as stream:
            for part in file_parts(array, stopped=stopped):
                if digest is not None:
                    digest.update(part)
                stream.write(part)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise storage_error(path, error) from error
        raise


def file_parts(array: np.ndarray, *, stopped: Callable[[], bool] = never) -> Iterator[bytes | memoryview]:
    """The bytes of the array's ``.npy`` file, piece by piece.

    Raises:
        OSError: if the array holds Python's objects, which are no bytes that a file could hold.
        Cancelled: if ``stopped`` said so.
    """
    if array.dtype.hasobject:
        raise OSError("cannot write object arrays")
    yield _header(array)
    planes = max(1, _BYTES_AT_ONCE * len(array) // max(1, array.nbytes))
    for first in range(0, len(array), planes):
        if stopped():
            raise Cancelled()
        yield memoryview(np.ascontiguousarray(array[first : first + planes]).reshape(-1).view(np.uint8))


def file_size(array: np.ndarray) -> int:
    """How many bytes the array's ``.npy`` file has."""
    return len(_header(array)) + array.nbytes


def _header(array: np.ndarray) -> bytes:
    description = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
    stream = BytesIO()
    np.lib.format.write_array_header_1_0(stream, description)
    return stream.getvalue()
