"""Which file endings the library reads and writes."""

from __future__ import annotations

import os
from pathlib import Path

from MedSegAI.Logic.errors import StorageError

IMAGE_ENDINGS = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".nhdr", ".mha", ".mhd")
WRITABLE_ENDINGS = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".mha")
SCAN_ENDINGS = tuple(ending for ending in WRITABLE_ENDINGS if ending != ".seg.nrrd")
"""What a scan, a heat map or a confidence is written to; ``.seg.nrrd`` says that a file holds segments."""
READABLE_SENTENCE = "Choose a NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr), MetaImage (.mha, .mhd) or DICOM scan."


def ending_of(path: str | os.PathLike[str]) -> str:
    """The image ending of a file name in lower case, such as ``.nii.gz``; empty for any other file."""
    name = Path(path).name.lower()
    return next((ending for ending in IMAGE_ENDINGS if name.endswith(ending)), "")


def name_of(path: str | os.PathLike[str]) -> str:
    """What a scan read from ``path`` is called: the file name without its image ending."""
    name = Path(path).name
    return name[: len(name) - len(ending_of(path))] or name


def refuse_unwritable_ending(path: str | os.PathLike[str]) -> None:
    """Raise :class:`StorageError` unless ``path`` ends like a format that holds one image in one file."""
    if ending_of(path) not in WRITABLE_ENDINGS:
        raise StorageError(
            f"'{path}' does not end like an image file.", advice=f"End the name in {', '.join(WRITABLE_ENDINGS)}."
        )
