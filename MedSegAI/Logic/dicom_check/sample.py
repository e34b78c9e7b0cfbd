"""Which files of a series the validator looks at: the first, the middle, the last, and all that differ from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

_COMPARED = (
    "SOPClassUID", "Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation", "PhotometricInterpretation",
    "PixelSpacing", "ImageType", "Modality", "RescaleIntercept", "RescaleType", "PatientID", "FrameOfReferenceUID",
)  # fmt: skip


def files_to_validate(headers: Sequence[tuple[Path, Any]], *, all_files: bool) -> tuple[Path, ...]:
    """A part of a series for which the standard's validator says what it would say of the whole.

    Args:
        headers: Path and whole header of each file, in slice order.
        all_files: Take every file.

    Returns:
        Every file; or the first, the middle and the last, and each further one in which other attributes are present
        or empty, or one of those that images of a series share has another value, than in all files before it.
    """
    if all_files or len(headers) <= 3:
        return tuple(path for path, _ in headers)
    chosen = {0, len(headers) // 2, len(headers) - 1}
    seen = {_outline(headers[at][1]) for at in sorted(chosen)}
    for at, (_, header) in enumerate(headers):
        outline = _outline(header)
        if outline not in seen:
            seen.add(outline)
            chosen.add(at)
    return tuple(headers[at][0] for at in sorted(chosen))


def _outline(header: Any) -> tuple:
    """What is there, of which type, and whether it has a value; and the values that all images of a series share."""
    shape = tuple((int(element.tag), element.VR, element.is_empty) for element in header)
    syntax = str(header.file_meta.get("TransferSyntaxUID", ""))
    return shape, syntax, tuple(str(header.get(keyword, "")) for keyword in _COMPARED)
