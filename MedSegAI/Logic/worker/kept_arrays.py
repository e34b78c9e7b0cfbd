"""Scans that the worker was given before, by what is in them: a second run on the same scan writes nothing.

A kept array is one more name (hard link) of the file that a job was given, so a job's own files stay readable whatever
becomes of the kept ones, and keeping costs no copy.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from MedSegAI.Logic.worker.array_files import file_parts, file_size, never, write_array

KEPT_FOLDER = "kept"
"""Name of the folder with the kept arrays, inside the private folder that parent and worker share."""

MOST_BYTES = 2 << 30
_SHARE_OF_DISK = 1 / 8


class KeptArrays:
    """Arrays by their contents, the least recently used given up first.

    Args:
        folder: Where they lie; made when it is needed, and whoever removes it removes what is kept.
        most_bytes: Most that is kept; less where the disk has little left.
    """

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def put(self, array: np.ndarray, path: Path, *, stopped: Callable[[], bool] = never) -> None:
        """Have ``array`` as the ``.npy`` file ``path``: under that name if it is kept already, else written and kept.

        Args:
            array: (k, j, i); it must not change meanwhile.
            path: A file that does not exist yet, on the same disk as the kept ones.
            stopped: Asked every few planes whether to give up.

        Raises:
            StorageError: if it cannot be written: disk full, no permission.
            Cancelled: if ``stopped`` said so; no file is left.
        """
        # Only one of the same size can be the same; without one, reading the array twice would be for nothing.
        if any(each.st_size == file_size(array) for each in self._files().values()):
            known = hashlib.sha256()
            for part in file_parts(array, stopped=stopped):
                known.update(part)
            if self._take(known.hexdigest(), path):
                return
        digest = hashlib.sha256()
        write_array(path, array, stopped=stopped, digest=digest)
        self._keep(path, digest.hexdigest())

    def _take(self, digest: str, path: Path) -> bool:
        kept = self._folder / f"{digest}.npy"
        try:
            os.link(kept, path)
            os.utime(kept)
        except OSError:
            # Given up meanwhile by the worker, which leaves after its idle time.
            path.unlink(missing_ok=True)
            return False
        return True

    def _keep(self, path: Path, digest: str) -> None:
        """Keep a file just written; where the disk knows no links, none is kept."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            os.link(path, self._folder / f"{digest}.npy")
            self._give_up_the_oldest()

    def _give_up_the_oldest(self) -> None:
        files = self._files()
        free = shutil.disk_usage(self._folder).free + sum(each.st_size for each in files.values())
        most, total = min(self._most_bytes, int(_SHARE_OF_DISK * free)), 0
        for path in sorted(files, key=lambda path: files[path].st_mtime_ns, reverse=True):
            total += files[path].st_size
            if total > most:
                path.unlink()

    def _files(self) -> dict[Path, os.stat_result]:
        found = {}
        for path in self._folder.glob("*.npy"):
            with suppress(OSError):
                found[path] = path.stat()
        return found
