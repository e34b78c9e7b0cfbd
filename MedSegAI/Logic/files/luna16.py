"""The LUNA16 data set as it is published: MetaImage scans in ten folders, and a table of nodules.

The folder holds ``subset0`` to ``subset9`` with one ``SERIES.mhd`` and ``SERIES.raw`` a scan, and ``annotations.csv``
(or ``CSVFILES/annotations.csv``): series, LPS mm of the nodule's centre and its diameter in mm. The ten folders are the
official folds of the cross-validation. It holds no outline of any nodule.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Triple

FOLDS = tuple(range(10))
COLUMNS = ("seriesuid", "coordX", "coordY", "coordZ", "diameter_mm")
_TABLES = ("annotations.csv", "CSVFILES/annotations.csv")
_ADVICE = "Name the folder with subset0 to subset9 and annotations.csv, unpacked as LUNA16 publishes them."


@dataclass(frozen=True)
class Luna16Scan:
    """One scan: its series instance UID, which is the file's name, its fold 0..9, and its ``.mhd`` file."""

    series: str
    fold: int
    path: Path


@dataclass(frozen=True)
class Luna16Nodule:
    """One annotated nodule.

    Args:
        name: ``SERIES/NUMBER``, numbered from 1 in the order of the table.
        centre_lps: Its centre in LPS mm.
        diameter_mm: Its diameter in mm.
    """

    name: str
    centre_lps: Triple
    diameter_mm: float


@dataclass(frozen=True)
class Luna16:
    """The scans of some folds, and the nodules of each scan by series; a scan without nodules is not among the keys."""

    scans: tuple[Luna16Scan, ...]
    nodules: Mapping[str, tuple[Luna16Nodule, ...]]


def read_luna16(folder: Path, *, folds: tuple[int, ...] = FOLDS) -> Luna16:
    """Find the scans of some folds and read the table of nodules; no scan is read.

    Args:
        folder: See the module's text.
        folds: Which of the ten.

    Returns:
        The scans by fold, and by series within a fold.

    Raises:
        InputError: if a folder or the table is missing, a fold holds no scan, or a row cannot be understood.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise InputError(f"There is no folder '{folder}'.", advice=_ADVICE)
    nodules = read_annotations(_table_in(folder))
    return Luna16(tuple(scan for fold in folds for scan in _scans_of(folder, fold)), nodules)


def read_annotations(path: Path) -> dict[str, tuple[Luna16Nodule, ...]]:
    """The nodules of each series in ``annotations.csv``.

    Raises:
        InputError: if the file cannot be read, lacks a column, or a row cannot be understood.
    """
    found: dict[str, list[Luna16Nodule]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            _refuse_other_columns(path, rows.fieldnames or ())
            for row in rows:
                of_scan = found.setdefault(row["seriesuid"].strip(), [])
                of_scan.append(_nodule(row, len(of_scan) + 1, f"'{path}', line {rows.line_num}"))
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}.", advice="Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"'{path}' is not a text file.", advice=_ADVICE) from error
    return {series: tuple(of_scan) for series, of_scan in found.items()}


def parse_folds(text: str) -> tuple[int, ...]:
    """Folds as a person writes them: ``0-9``, ``3``, ``0,2,5-7``.

    Raises:
        InputError: for another form, or a fold that does not exist.
    """
    folds: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d)(?:-(\d))?\s*", part)
        if match is None or (match[2] and match[2] < match[1]):
            raise InputError(f"'{text}' names no folds.", advice="Write 0-9, 3 or 0,2,5-7: the folds are 0 to 9.")
        folds.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tuple(sorted(folds))


def _table_in(folder: Path) -> Path:
    for name in _TABLES:
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"'{folder}' holds no annotations.csv.", advice=_ADVICE)


def _scans_of(folder: Path, fold: int) -> list[Luna16Scan]:
    subset = folder / f"subset{fold}"
    if not subset.is_dir():
        raise InputError(f"'{folder}' has no folder subset{fold}.", advice=f"{_ADVICE} Or choose folds with --folds.")
    scans = [Luna16Scan(path.stem, fold, path) for path in sorted(subset.glob("*.mhd"))]
    if not scans:
        raise InputError(f"'{subset}' holds no .mhd scan.", advice=_ADVICE)
    return scans


def _refuse_other_columns(path: Path, columns: tuple[str, ...] | list[str]) -> None:
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise InputError(f"'{path}' lacks the column {', '.join(missing)}.", advice=_ADVICE)


def _nodule(row: Mapping[str, str], number: int, place: str) -> Luna16Nodule:
    try:
        x, y, z, diameter = (float(row[name]) for name in COLUMNS[1:])
    except (TypeError, ValueError) as error:
        raise InputError(f"{place} holds no four numbers.", advice="Take the table as LUNA16 publishes it.") from error
    return Luna16Nodule(f"{row['seriesuid'].strip()}/{number}", (x, y, z), diameter)
