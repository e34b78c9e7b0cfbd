"""Output paths are refused before the long work starts, not after it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from MedSegAI.Logic.errors import StorageError

_SEGMENTATION = ".seg.nrrd"


@dataclass(frozen=True)
class Output:
    """A file that a command was asked to write.

    Args:
        option: How the user named it, such as ``--scene``.
        path: Where it goes.
        endings: Endings its writer knows, longest first; the first is the one to advise.
    """

    option: str
    path: Path
    endings: tuple[str, ...]


def refuse_unusable(outputs: Sequence[Output], *, inputs: Sequence[Path] = ()) -> None:
    """Check that every output can be written, before hours of work are spent.

    Raises:
        StorageError: for an unknown ending, a missing folder or one that cannot be written to, a folder in the file's
            place, an output that would replace an input, or two outputs with one path.
    """
    taken: dict[Path, str] = {}
    for output in outputs:
        _refuse_ending(output)
        _refuse_folder(output)
        place = output.path.expanduser().resolve()
        if place in (path.expanduser().resolve() for path in inputs):
            raise StorageError(
                f"{output.option} '{output.path}' is the input itself.", advice="Choose another file for the result."
            )
        if place in taken:
            raise StorageError(
                f"{output.option} and {taken[place]} name the same file '{output.path}'.",
                advice="Give each result its own file.",
            )
        taken[place] = output.option


def _refuse_ending(output: Output) -> None:
    name = output.path.name.casefold()
    if name.endswith(_SEGMENTATION) and _SEGMENTATION not in output.endings:
        raise StorageError(
            f"{output.option} '{output.path}' is named like a segmentation, and no segmentation is written there.",
            advice=f"Use another ending than {_SEGMENTATION}: {', '.join(output.endings)}.",
        )
    if not name.endswith(output.endings):
        raise StorageError(
            f"{output.option} '{output.path}' has no ending that can be written.",
            advice=f"Use one of: {', '.join(output.endings)}.",
        )


def _refuse_folder(output: Output) -> None:
    path = output.path.expanduser()
    if path.is_dir():
        raise StorageError(f"{output.option} '{path}' is a folder.", advice="Add a file name to the path.")
    if not path.parent.is_dir():
        raise StorageError(
            f"{output.option} '{path}' could not be written: there is no folder '{path.parent}'.",
            advice="Make the folder first, or choose one that exists.",
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise StorageError(
            f"{output.option} '{path}' could not be written: no permission to write into '{path.parent}'.",
            advice="Choose a folder that you may write to.",
        )
