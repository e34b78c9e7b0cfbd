"""Which scans lie in a folder of any size; nothing of them is read yet."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.formats import ending_of, name_of

SCAN_ENDINGS = (".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd")


def scans_folder(given: Path | None, *, name: str = "") -> Path:
    """The folder of the scans.

    Args:
        given: The folder itself; None takes ``name`` inside the folder that the environment variable MEDSEGAI_DATA
            names.
        name: Path of the folder below that one.

    Raises:
        InputError: if no folder was named, or there is none.
    """
    root = os.environ.get("MEDSEGAI_DATA")
    if given is None and not (root and name):
        raise InputError(
            "No folder of scans was named.",
            advice="Give it with --data, or name data.folder and set the variable MEDSEGAI_DATA.",
        )
    folder = Path(given).expanduser() if given is not None else Path(root).expanduser() / name
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.", advice="Name the folder that holds the scans.")
    return folder


def list_scans(folder: Path, *, only: Sequence[str] | None = None) -> tuple[Path, ...]:
    """Every NIfTI, NRRD and MetaImage file in the folder and all below it, in the order of their paths.

    Args:
        folder: Links in it are followed; hidden files and folders are left out, and so is ``.seg.nrrd``.
        only: Names of the scans wanted (without ending); None takes all.

    Raises:
        InputError: if there is none, or a wanted one is missing.
    """
    found = sorted(_below(Path(folder), set()))
    if not found:
        raise InputError(
            f"'{folder}' holds no scan.", advice="Name a folder with NIfTI, NRRD or MetaImage files in it or below it."
        )
    if only is None:
        return tuple(found)
    wanted = set(only)
    kept = tuple(path for path in found if name_of(path) in wanted)
    missing = sorted(wanted - {name_of(path) for path in kept})
    if missing:
        raise InputError(
            f"'{folder}' has no scan '{missing[0]}', which the split names.", advice="Check the split and the folder."
        )
    return kept


def _below(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        entries = list(os.scandir(folder))
    except OSError as error:
        raise InputError(
            f"'{folder}' cannot be read: {error.strerror or error}.", advice="Check the folder and its rights."
        ) from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _below(Path(entry.path), seen)
        elif ending_of(entry.name) in SCAN_ENDINGS:
            yield Path(entry.path)
