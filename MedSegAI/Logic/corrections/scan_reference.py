"""Which scan a case is about, so that it is found and recognised later."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np

from MedSegAI.Logic.corrections.entry import Scan
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.volume import Volume


def scan_reference(path: str | os.PathLike[str]) -> Scan:
    """The absolute path of a scan, and the SHA-256 of its file.

    For a folder it is the digest of one line a file, "path inside the folder, two blanks, SHA-256 of the file", in the
    order of the paths.

    Raises:
        InputError: if it cannot be read.
    """
    place = Path(path).expanduser().resolve()
    try:
        if not place.is_dir():
            return Scan(str(place), _digest_of_file(place))
        files = sorted((file.relative_to(place).as_posix(), file) for file in place.rglob("*") if file.is_file())
        lines = "".join(f"{name}  {_digest_of_file(file)}\n" for name, file in files)
    except OSError as error:
        raise InputError(f"The scan '{path}' cannot be read: {error.strerror}.", advice="Check the path.") from error
    return Scan(str(place), hashlib.sha256(lines.encode()).hexdigest())


def reference_of_volume(volume: Volume) -> Scan:
    """A scan that is in memory, whatever file it came from: its name, and the SHA-256 of its voxels and grid."""
    digest = hashlib.sha256(json.dumps(volume.grid.to_plain()).encode())
    digest.update(str(volume.array.dtype).encode())
    digest.update(np.ascontiguousarray(volume.array).data)
    return Scan(volume.name, digest.hexdigest())


def _digest_of_file(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
