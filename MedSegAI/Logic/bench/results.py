"""The folder that a run of the benchmark fills."""

from __future__ import annotations

from pathlib import Path

from MedSegAI.Logic.bench.comparison import Comparison
from MedSegAI.Logic.bench.picture import draw_record
from MedSegAI.Logic.bench.record import BenchRecord
from MedSegAI.Logic.bench.record_file import write_record
from MedSegAI.Logic.bench.table import markdown
from MedSegAI.Logic.files.atomic import make_folder, write_beside
from MedSegAI.Logic.files.new_folder import refuse_used

TABLE_NAME, PICTURE_NAME = "bench.md", "bench.png"


def open_results(folder: Path) -> Path:
    """Make the folder.

    Raises:
        StorageError: if it holds something, is a file, or cannot be made.
    """
    refuse_used(folder)
    return make_folder(folder)


def write_results(record: BenchRecord, folder: Path, *, compared: Comparison | None = None) -> None:
    """Write the record, its tables and its picture, each whole or not at all.

    Raises:
        StorageError: if one of them cannot be written.
    """
    write_record(record, folder)
    with write_beside(folder / TABLE_NAME) as temporary:
        temporary.write_text(markdown(record, compared=compared), encoding="utf-8")
    picture = draw_record(record)
    if picture is not None:
        with write_beside(folder / PICTURE_NAME) as temporary:
            temporary.write_bytes(picture)
