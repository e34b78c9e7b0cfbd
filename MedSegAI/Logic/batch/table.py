"""The table of a batch: one row a case, and what the volumes come to."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from MedSegAI.Logic.batch.case import BatchCase
from MedSegAI.Logic.batch.case_record import CaseRecord, CaseStatus
from MedSegAI.Logic.batch.case_results import HEAT_MAP, RECORD, SEGMENTATION
from MedSegAI.Logic.files.atomic import write_beside

CSV_NAME = "table.csv"
JSON_NAME = "table.json"
NOT_DONE = "not done"
_FILE_COLUMNS = {"segmentation": SEGMENTATION, "heat_map": HEAT_MAP, "provenance": RECORD}


@dataclass(frozen=True)
class LabelSummary:
    """One structure over all cases in which it was looked for: how often it was found, and mL where it was."""

    key: str
    name: str
    looked_for: int
    found: int
    mean_ml: float
    smallest_ml: float
    largest_ml: float


@dataclass(frozen=True)
class BatchTable:
    """Every case of a batch and what became of it.

    Args:
        cases: All cases, in order.
        records: The record of each case that ended, by case.
    """

    cases: tuple[BatchCase, ...]
    records: Mapping[str, CaseRecord]

    def records_in_order(self) -> tuple[CaseRecord, ...]:
        """The records of the cases that ended, in the order of the cases."""
        return tuple(self.records[case.id] for case in self.cases if case.id in self.records)

    def with_status(self, status: CaseStatus) -> tuple[CaseRecord, ...]:
        """Those that ended so."""
        return tuple(record for record in self.records_in_order() if record.status is status)

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Key and name of every structure that was looked for in some case, in the order of first sight."""
        seen: dict[str, str] = {}
        for record in self.with_status(CaseStatus.DONE):
            seen.update({volume.key: volume.name for volume in record.volumes if volume.key not in seen})
        return tuple(seen.items())

    def summaries(self) -> tuple[LabelSummary, ...]:
        """One line a structure."""
        return tuple(_summary(key, name, self.with_status(CaseStatus.DONE)) for key, name in self.labels)

    def to_csv(self) -> str:
        """Comma-separated text with a header line; mL to four decimals, empty where a structure was not looked for."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        keys = [key for key, _ in self.labels]
        volumes = [f"{key}_ml" for key in keys]
        writer.writerow(("case", "status", *volumes, "seconds", "source", "series", "sentence", *_FILE_COLUMNS))
        for case in self.cases:
            writer.writerow(_row(case, self.records.get(case.id), keys))
        return text.getvalue()

    def to_plain(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "done": len(self.with_status(CaseStatus.DONE)),
            "failed": len(self.with_status(CaseStatus.FAILED)),
            "total": len(self.cases),
            "cases": [_plain(case, self.records.get(case.id)) for case in self.cases],
        }

    def write(self, folder: Path) -> dict[str, Path]:
        """Write both forms into a folder; the files by what they hold.

        Raises:
            StorageError: if one cannot be written.
        """
        files = {"table": folder / CSV_NAME, "table for machines": folder / JSON_NAME}
        # Excel takes a file without this mark for one in the computer's own old encoding.
        texts = ("\ufeff" + self.to_csv(), json.dumps(self.to_plain(), ensure_ascii=False, indent=1) + "\n")
        for path, text in zip(files.values(), texts):
            with write_beside(path) as beside:
                # Paths may not be UTF-8; in JSON the escape stands for the very same path.
                beside.write_text(text, encoding="utf-8", errors="backslashreplace")
        return files


def _row(case: BatchCase, record: CaseRecord | None, keys: Sequence[str]) -> tuple[str, ...]:
    if record is None:
        return (case.id, NOT_DONE, *("" for _ in keys), "", str(case.source), case.series or "", "", "", "", "")
    volumes = {volume.key: f"{volume.volume_ml:.4f}" for volume in record.volumes}
    files = (record.files.get(what, "") for what in _FILE_COLUMNS.values())
    return (
        *(case.id, record.status.value, *(volumes.get(key, "") for key in keys), f"{record.seconds:.2f}"),
        *(record.source, record.series or "", record.sentence, *files),
    )


def _plain(case: BatchCase, record: CaseRecord | None) -> dict[str, Any]:
    if record is None:
        return {"case": case.id, "status": NOT_DONE, "source": str(case.source), "series": case.series}
    return record.to_plain()


def _summary(key: str, name: str, records: Sequence[CaseRecord]) -> LabelSummary:
    volumes = [volume for record in records for volume in record.volumes if volume.key == key]
    found = [volume.volume_ml for volume in volumes if volume.voxels] or [0.0]
    present = sum(volume.voxels > 0 for volume in volumes)
    return LabelSummary(key, name, len(volumes), present, fmean(found), min(found), max(found))
