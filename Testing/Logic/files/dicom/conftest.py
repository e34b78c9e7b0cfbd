"""A small result on real DICOM series, or on a few slices of them, to be written as DICOM."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import pytest

from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.labels import Code, Label, LabelTable, Terminology
from MedSegAI.Logic.volume import Volume
from Testing.Logic.corrections.conftest import MADE

KIDNEY = Terminology(
    Code("SCT", "123037004", "Anatomical Structure"), Code("SCT", "64033007", "Kidney"), Code("SCT", "7771000", "Left")
)
TABLE = LabelTable(
    (
        Label(3, "left_kidney", "Left kidney", (0.8, 0.4, 0.2), KIDNEY),
        Label(7, "lump", "Lump", (0.1, 0.9, 0.3)),
        Label(9, "unused", "Unused", (0, 0, 0)),
    )
)
SERIES = {
    "ct": "dicom/dcmqi/segmentations/ct-3slice",
    "mr": "tcia_brain_dicom/Study1/12-T1post-05670",
    "crop": "tcia_brain_dicom/Study1/13_HCropVolume",
    "multi-frame": "dicom/dcmqi/segmentations/24x38x3/multiframe",
}


FEW = {"mr": 5, "crop": 6}


@dataclass(frozen=True)
class CaseOnDicom:
    """A series of real images, and a result drawn on it."""

    series: Path
    scan: Volume
    segmentation: Segmentation
    heat_map: Volume
    confidence: Volume


@pytest.fixture(scope="session")
def case_on(data_folder, tmp_path_factory):
    """The case on a series by its short name; each is made once."""
    made = {}

    def case(name: str) -> CaseOnDicom:
        if name not in made:
            series = data_folder / SERIES[name]
            if not series.is_dir():
                pytest.skip(f"no real data at {series}")
            if name in FEW:
                series = _lowest_slices(series, FEW[name], tmp_path_factory.mktemp(name))
            made[name] = _drawn_on(series)
        return made[name]

    return case


def _lowest_slices(series: Path, number: int, folder: Path) -> Path:
    """A folder with links to a few neighbouring slices of a series."""
    files = sorted(series.iterdir(), key=lambda file: float(pydicom.dcmread(file).ImagePositionPatient[2]))
    for file in files[:number]:
        (folder / file.name).symlink_to(file)
    return folder


def _drawn_on(series: Path) -> CaseOnDicom:
    """A ring in most planes, one of them with an island in its hole, and a block in one."""
    scan = read_volume(series)
    shape = scan.grid.shape
    _, j, i = np.indices(shape, dtype=np.float32)
    radius = np.hypot((j - shape[1] * 0.4) / (shape[1] * 0.2), (i - shape[2] * 0.5) / (shape[2] * 0.15))
    labels = np.where((radius < 1) & (radius > 0.5), 3, 0).astype(np.uint8)
    labels[0] = 0
    middle = shape[0] // 2
    labels[middle][radius[middle] < 0.2] = 3
    labels[middle, 1:5, 1:6] = 7
    generator = np.random.default_rng(0)
    heat = (generator.random(shape, dtype=np.float32) ** 4) * (labels > 0)
    confidence = np.where(labels > 0, 0.5 + 0.5 * generator.random(shape, dtype=np.float32), 0).astype(np.float16)
    return CaseOnDicom(
        series,
        scan,
        Segmentation(Volume(labels, scan.grid, name="result"), TABLE, MADE),
        Volume(heat, scan.grid, name="heat"),
        Volume(confidence, scan.grid, name="confidence"),
    )
