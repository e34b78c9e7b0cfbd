"""What became of one scan under one method, and the file that keeps it, so that a run can be cut short and go on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from MedSegAI.Logic.evaluation.metrics import MaskScores
from MedSegAI.Logic.files.atomic import storage_error

LEDGER_NAME = "scans.jsonl"


@dataclass(frozen=True)
class NoduleScores:
    """One nodule.

    Args:
        name: ``SERIES/NUMBER``.
        diameter_mm: As annotated.
        readers: How many radiologists' outlines the reference was made of; 0 for a ball.
        found: Whether the method found anything there.
        scores: See docs/evaluation.md for the voxels that specificity and NPV count.
    """

    name: str
    diameter_mm: float
    readers: int
    found: bool
    scores: MaskScores


@dataclass(frozen=True)
class ScanRecord:
    """One scan under one method.

    Args:
        series: The scan.
        fold: Its fold.
        patient: Whose scan it is; the series where that is not known.
        method: The method's name.
        state: Digest of all that decides the scores; with another one the scan is measured again.
        nodules: Scores of the nodules with a reference.
        without: Names of the annotated nodules without one.
        false_alarms: See :class:`Found`.
        seconds: How long the method took.
        problem: Why the scan could not be measured; empty where it was.
    """

    series: str
    fold: int
    patient: str
    method: str
    state: str
    nodules: tuple[NoduleScores, ...] = ()
    without: tuple[str, ...] = ()
    false_alarms: int | None = None
    seconds: float = 0.0
    problem: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """The scan and the method."""
        return self.series, self.method

    def to_plain(self) -> dict[str, Any]:
        """The record as JSON values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> ScanRecord:
        """The record that :meth:`to_plain` described."""
        nodules = tuple(
            NoduleScores(**{**nodule, "scores": MaskScores(**nodule["scores"])}) for nodule in plain["nodules"]
        )
        return replace(cls(**{**plain, "without": tuple(plain["without"])}), nodules=nodules)


class ScanLedger:
    """The records of a folder, one line each, only ever added to; the last line of a scan and method counts.

    Args:
        folder: Where the file lies; it must exist.

    Raises:
        StorageError: if there is a file that cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) / LEDGER_NAME
        self._records: dict[tuple[str, str], ScanRecord] = {}
        try:
            content = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise storage_error(self.path, error) from error
        self._lacks_line_break = bool(content) and not content.endswith(b"\n")
        for line in content.splitlines():
            record = _record_in(line)
            if record is not None:
                self._records[record.key] = record

    def done(self, series: str, method: str, state: str) -> ScanRecord | None:
        """The record of a scan that was measured in this state; None where it must be (again)."""
        record = self._records.get((series, method))
        return record if record is not None and record.state == state and not record.problem else None

    def add(self, record: ScanRecord) -> None:
        """Write a record down; it is on the disk when this returns.

        Raises:
            StorageError: if the disk is full or cannot be written to.
        """
        line = (json.dumps(record.to_plain()) + "\n").encode()
        try:
            with self.path.open("ab") as file:
                file.write(b"\n" + line if self._lacks_line_break else line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise storage_error(self.path, error) from error
        self._lacks_line_break = False
        self._records[record.key] = record


def _record_in(line: bytes) -> ScanRecord | None:
    """None for a line that a crash cut off, or of another version: the scan is then measured again."""
    try:
        return ScanRecord.from_plain(json.loads(line))
    except (ValueError, KeyError, TypeError):
        return None
