"""``bench.json``, written and read."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from MedSegAI.Logic.bench.record import SCHEMA, SCHEMA_VERSION, BenchRecord, from_plain, to_plain
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.atomic import write_beside

RECORD_NAME = "bench.json"
_WRITE_ANOTHER = "Give the bench.json that an earlier 'medsegai bench' wrote."


def write_record(record: BenchRecord, folder: Path) -> Path:
    """Write the record into a folder, replacing an older one; returns the file.

    Raises:
        StorageError: if it cannot be written.
    """
    path = folder / RECORD_NAME
    with write_beside(path) as temporary:
        text = json.dumps(_without_odd_numbers(to_plain(record)), indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def read_record(path: Path) -> BenchRecord:
    """Read a record.

    Raises:
        InputError: if the file is missing, is no record of a benchmark, or one of another version.
    """
    try:
        plain = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror or error}.", advice=_WRITE_ANOTHER) from error
    except ValueError as error:
        raise InputError(f"'{path}' is no JSON file: {error}.", advice=_WRITE_ANOTHER) from error
    if not isinstance(plain, dict) or plain.get("schema") != SCHEMA:
        raise InputError(f"'{path}' is no record of a benchmark.", advice=_WRITE_ANOTHER)
    if plain.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"'{path}' has version {plain.get('schema_version')} of the format; this program reads {SCHEMA_VERSION}.",
            advice="Measure again with this version.",
        )
    try:
        return from_plain(plain)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"'{path}' is damaged: {type(error).__name__}: {error}.", advice="Measure again, or give another file."
        ) from error


def _without_odd_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_odd_numbers(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_without_odd_numbers(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
