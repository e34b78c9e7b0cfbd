"""Real heads: one T1 that tests move by known transforms, and four sequences of one head, each on a grid of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from MedSegAI.Logic.align.move import moved_grid
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.standardise.resample import grid_with_spacing, resample
from MedSegAI.Logic.volume import Modality, Volume


@pytest.fixture(scope="session")
def a_head(data_folder: Path) -> Volume:
    """A T1 of a whole head at 5 mm, 34 x 46 x 34 voxels."""
    head = read_volume(data_folder / "mr_heads" / "chris_t1.nii.gz", modality=Modality.MR)
    return replace(resample(head, grid_with_spacing(head.grid, (5.0, 5.0, 5.0))), name="head")


@pytest.fixture(scope="session")
def a_coarse_head(a_head: Volume) -> Volume:
    """The same at 9 mm, where only speed and words matter."""
    return resample(a_head, grid_with_spacing(a_head.grid, (9.0, 9.0, 9.0)))


@pytest.fixture(scope="session")
def sequences(data_folder: Path) -> dict[str, Volume]:
    """Four sequences of one head as they came from the scanner, in slices of 5.5 mm, not registered."""
    folder = data_folder / "brats_like" / "OtherEXampleFromTCIA" / "native_unregistered"
    endings = {"T1": "_t1.nii.gz", "T1c": "_t1c.nii.gz", "T2": "_t2.nii.gz", "FLAIR": "_fla.nii.gz"}
    found = {name: next(folder.glob(f"*{ending}")) for name, ending in endings.items()}
    return {name: replace(read_volume(path, modality=Modality.MR), name=name) for name, path in found.items()}


def turned_about(centre: np.ndarray, degrees: tuple[float, float, float], mm: tuple[float, ...]) -> LinearTransform:
    """Turned about x, then y, then z through ``centre`` (LPS mm), then shifted."""
    turn = np.eye(3)
    for axis, angle in enumerate(np.deg2rad(degrees)):
        one, two = [other for other in range(3) if other != axis]
        step = np.eye(3)
        step[[one, one, two, two], [one, two, one, two]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        turn = step @ turn
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, centre - turn @ centre + mm
    return LinearTransform(tuple(float(value) for value in matrix.ravel()))


def moved_away(scan: Volume, transform: LinearTransform) -> Volume:
    """The scan, its voxels untouched, lying where ``transform`` puts it."""
    return replace(scan, grid=moved_grid(scan.grid, transform), name=f"{scan.name}, moved")


def largest_error_mm(found: LinearTransform, truth: LinearTransform, scan: Volume) -> float:
    """Largest distance between where the two put a bright voxel of the scan."""
    points = scan.grid.lps_of(np.argwhere(scan.array > scan.array.mean()))
    return float(np.linalg.norm(found.apply(points) - truth.apply(points), axis=1).max())
