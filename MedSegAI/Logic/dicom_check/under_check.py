"""One series as the rules look at it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from MedSegAI.Logic.dicom_check.finding import Finding, Weight
from MedSegAI.Logic.files.dicom.volumes import SeriesVolume

_EXAMPLES = 3


@dataclass(frozen=True, eq=False)
class SeriesUnderCheck:
    """A series, or one volume of it.

    Args:
        volume: Its files in order, and the stack they make or why there is none.
        headers: Path and whole header of each file, without pixels, in the same order.
    """

    volume: SeriesVolume
    headers: tuple[tuple[Path, Any], ...]

    @property
    def modality(self) -> str:
        """DICOM's code, as the first file has it."""
        return str(self.headers[0][1].get("Modality") or "")

    def where(self, holds: Callable[[Any], bool]) -> list[Path]:
        """The files of whose header something holds."""
        return [path for path, header in self.headers if holds(header)]

    def values(self, keyword: str) -> set[str]:
        """All values that the files give one attribute; "" for a file without it."""
        return {str(header.get(keyword) or "") for _, header in self.headers}


def of_files(paths: Sequence[Path], *, rule: str, title: str, meaning: str, advice: str, **more: Any) -> Finding:
    """A finding that holds of some files, a warning that does not hinder unless ``more`` says otherwise."""
    settings = {"weight": Weight.WARNING, **more}
    examples = tuple(path.name for path in paths[:_EXAMPLES])
    return Finding(rule, title, meaning, advice, count=len(paths), examples=examples, **settings)
