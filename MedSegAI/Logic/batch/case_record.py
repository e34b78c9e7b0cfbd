"""What became of one case: a line of the ledger, a row of the table, and the file beside the case's results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any

from MedSegAI.Logic.batch.input_state import InputState
from MedSegAI.Logic.report.volumes import SegmentVolume

RECORD_NAME = "record.json"
"""The file in a case's folder that holds its record and the provenance of its results."""


class CaseStatus(str, Enum):
    """How a case ended; a stopped one is neither done nor failed, and has no line in the ledger."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class CaseRecord:
    """What became of one case.

    Args:
        case: Its id.
        status: How it ended.
        source: The scan's path.
        settings: Digest of the settings it was done with.
        series: UID of the series, where one was chosen.
        state: What its files looked like; None where they could not be read.
        volumes: Size of each structure that was looked for.
        seconds: Wall time from reading to the last written file.
        sentence: Why it failed; for a case that is done, what is worth knowing; may be empty.
        notes: What was said on the way, as sentences.
        files: The files it has, by what they hold; paths as seen from the batch's folder.
        ended: ISO 8601 time in UTC.
    """

    case: str
    status: CaseStatus
    source: str
    settings: str
    series: str | None = None
    state: InputState | None = None
    volumes: tuple[SegmentVolume, ...] = ()
    seconds: float = 0.0
    sentence: str = ""
    notes: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    ended: str = ""

    def to_plain(self) -> dict[str, Any]:
        """The record as JSON values."""
        return {**asdict(replace(self, files=dict(self.files))), "status": self.status.value}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> CaseRecord:
        """The record that :meth:`to_plain` described.

        Raises:
            KeyError, TypeError, ValueError: if it did not.
        """
        known = {
            **plain,
            "status": CaseStatus(plain["status"]),
            "state": None if plain["state"] is None else InputState(**plain["state"]),
            "volumes": tuple(SegmentVolume(**volume) for volume in plain["volumes"]),
            "notes": tuple(plain["notes"]),
        }
        return cls(**known)
