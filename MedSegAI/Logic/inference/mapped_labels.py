"""Labels of a giant scan in a file that nobody sees, so that they take disk instead of memory."""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from pathlib import Path

import numpy as np

from MedSegAI.Logic.files.atomic import storage_error
from MedSegAI.Logic.geometry import Shape


class MappedLabels:
    """An array (k, j, i) uint8, zero at first, mapped from a file without a name; the file goes with the array.

    Args:
        room: Folder in whose file system the file lies; it had better be no file system in memory.
        shape: (k, j, i).

    Raises:
        StorageError: if there is no room for all of it.
    """

    def __init__(self, room: Path, shape: Shape) -> None:
        size = math.prod(shape)
        try:
            with tempfile.TemporaryFile(dir=room) as file:
                # All of it at once: a full disk is an error here, and would be the end of the process later.
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, size)
                else:
                    file.truncate(size)
                self._mapped = mmap.mmap(file.fileno(), size)
        except OSError as error:
            raise storage_error(room, error) from error
        self.array = np.frombuffer(self._mapped, dtype=np.uint8).reshape(shape)
        """The labels."""

    def release(self) -> None:
        """Let go of the memory that what was written or read so far takes; the labels stay, in the file."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._mapped.madvise(mmap.MADV_DONTNEED)
