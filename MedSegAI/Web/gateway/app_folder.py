"""The private folder of one running app, with one folder for each case; whatever is left of an earlier app goes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from MedSegAI.Web.gateway import last_one_out

_PREFIX = "medsegai-app-"
_YOUNG_SECONDS = 60.0


@dataclass(frozen=True)
class AppFolder:
    """A folder that only this user can read, held for as long as this process lives."""

    path: Path
    _held: int
    _last_one_out: subprocess.Popen

    def make_case_folder(self, name: str) -> Path:
        """A new empty folder for one case."""
        folder = self.path / name
        folder.mkdir(mode=0o700)
        return folder

    def remove(self) -> None:
        """Remove the folder and everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._held)
        self._last_one_out.stdin.close()
        self._last_one_out.wait()


def make_app_folder(parent: Path | None = None) -> AppFolder:
    """Make the folder in ``parent`` (default: the temporary folder), and remove those of apps that were killed."""
    parent = parent or Path(tempfile.gettempdir())
    _remove_abandoned(parent)
    path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    held = os.open(path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    return AppFolder(path, held, last_one_out.start(path))


def _remove_abandoned(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        # Another user's folder, or one that goes away just now.
        with contextlib.suppress(OSError):
            if time.time() - folder.lstat().st_mtime > _YOUNG_SECONDS and not folder.is_symlink():
                _remove_unless_held(folder)


def _remove_unless_held(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
