"""A small case with two structures, and two raters who correct it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from MedSegAI.Logic.corrections.record import Rater
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Code, Label, LabelTable, Terminology
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.volume import Volume

GRID = Grid((6, 8, 10), (0.5, 0.75, 2.0), (10.0, -20.5, 30.25))
HEAD = Label(
    1,
    "anterior",
    "Anterior part",
    (0.9, 0.1, 0.2),
    Terminology(Code("SCT", "123037004", "Anatomical Structure"), Code("SCT", "279215006", "Hippocampus head")),
)
TAIL = Label(2, "posterior", "Posterior part", (0.1, 0.2, 0.9))
TABLE = LabelTable((HEAD, TAIL))
ANNA = Rater("Anna", "radiologist")
BENE = Rater("Bene", "resident")
MADE = Provenance(
    model="hippocampus-mr",
    model_version="1.2",
    model_sha256="a" * 64,
    engine="torch",
    device="cpu",
    input_name="scan",
    grid_shape=GRID.shape,
    grid_spacing_mm=GRID.spacing,
    regions=(),
    settings={},
    seconds=1.5,
    created="2026-01-02T03:04:05+00:00",
)


def segmentation(array: np.ndarray, table: LabelTable = TABLE, provenance: Provenance | None = None) -> Segmentation:
    """Labels on the case's grid."""
    return Segmentation(Volume(array, GRID), table, provenance)


def painted(before: Segmentation, box: tuple[slice, slice, slice], value: int) -> Segmentation:
    """The same labels with one block more of ``value``."""
    array = before.labels.array.copy()
    array[box] = value
    return Segmentation(before.labels.with_array(array), before.table, before.provenance)


def same(one: Segmentation, other: Segmentation) -> bool:
    return bool(np.array_equal(one.labels.array, other.labels.array)) and one.labels.grid == other.labels.grid


@pytest.fixture
def base() -> Segmentation:
    """What the model found: a block of each structure."""
    array = np.zeros(GRID.shape, np.uint8)
    array[1:3, 2:5, 3:6] = 1
    array[3:5, 2:5, 3:6] = 2
    return segmentation(array, provenance=MADE)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """The folder of a case that nobody has corrected yet."""
    return tmp_path / "case-1"
