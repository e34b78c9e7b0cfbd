"""A list of cases that a person wrote: a CSV file with a line a case."""

from __future__ import annotations

import csv
from pathlib import Path

from MedSegAI.Logic.batch.case import BatchCase
from MedSegAI.Logic.batch.find_cases import case_of_file, refuse_one_id_twice
from MedSegAI.Logic.errors import InputError

_SCAN, _ID, _SERIES = "scan", "id", "series"
_ADVICE = (
    f"Begin the file with a header line such as '{_ID},{_SCAN},{_SERIES}'; '{_SCAN}' is needed, and the others may be "
    "left out."
)


def read_case_list(path: Path) -> tuple[BatchCase, ...]:
    """Read the cases of a CSV file in UTF-8.

    Its column ``scan`` holds the path of a file or DICOM folder, as seen from the list's own folder; ``id`` the name of
    the case, a folder's name (default: made from the path); ``series`` the UID or description of a DICOM series. A scan
    that does not exist is a case that fails, and stops no other.

    Raises:
        InputError: if the list cannot be read or is empty, has no such column or one that is not known, a line lacks
            its scan, or an id cannot be a folder's name or occurs twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, skipinitialspace=True)
            header = [name.strip() for name in next(reader, [])]
            rows = [(reader.line_num, row) for row in reader if row]
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"The list '{path}' cannot be read: {reason}.", advice="Check the path.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"The list '{path}' cannot be read: {error}.", advice=_ADVICE) from error
    unknown = [name for name in header if name not in (_SCAN, _ID, _SERIES)]
    if _SCAN not in header or unknown:
        fault = f"a column '{unknown[0]}', which is not known" if unknown else f"no column '{_SCAN}'"
        raise InputError(f"The list '{path}' has {fault}.", advice=_ADVICE)
    if not rows:
        raise InputError(f"The list '{path}' names no case.", advice=_ADVICE)
    cases = tuple(_case(path, line, dict(zip(header, row))) for line, row in rows)
    refuse_one_id_twice(cases)
    return cases


def _case(path: Path, line: int, row: dict[str, str]) -> BatchCase:
    scan, name, series = (row.get(column, "").strip() for column in (_SCAN, _ID, _SERIES))
    if not scan:
        raise InputError(f"Line {line} of '{path}' names no scan.", advice="Fill in its path, or take the line out.")
    if name and (Path(name).name != name or name.startswith(".")):
        raise InputError(f"The id '{name}' in line {line} of '{path}' cannot be a folder's name.", advice="Change it.")
    source = Path(path.resolve().parent, Path(scan).expanduser()).resolve()
    made = case_of_file(source)
    return BatchCase(name or made.id, source, series or None)
