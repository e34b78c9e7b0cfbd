"""A segmentation from a file, brought onto its scan so that it can be explained."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.explain.stored_result import result_of_file
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.volume import Volume

GRID = Grid((6, 7, 8), (1.0, 1.5, 2.0), (-3.0, 4.0, 5.0))
TABLE = LabelTable((Label(2, "part", "Part", (0.5, 0.5, 0.5)),))
MADE = Provenance("m", "1", "0" * 64, "torch", "cpu", "scan", GRID.shape, GRID.spacing, (), {}, 1.0, "2026-01-01")


@pytest.fixture
def scan() -> Volume:
    return Volume(np.arange(GRID.voxel_count, dtype=np.float32).reshape(GRID.shape), GRID)


@pytest.fixture
def labels() -> Volume:
    array = np.zeros(GRID.shape, np.uint8)
    array[1:3, 2:5, 3:6] = 2
    return Volume(array, GRID)


def test_a_stored_part_of_the_grid_comes_back_on_the_whole_grid_exactly(scan, labels):
    part = labels.crop(Box((1, 1, 2), (4, 6, 7)))
    result = result_of_file(Segmentation(part, TABLE, MADE), scan)
    assert np.array_equal(result.labels.array, labels.array)
    assert result.changed == Box((1, 2, 3), (3, 5, 6))
    assert (result.table, result.provenance, result.confidence) == (TABLE, MADE, None)


def test_without_a_record_of_its_making_it_is_refused(scan, labels):
    with pytest.raises(InputError, match="does not say how it was made"):
        result_of_file(Segmentation(labels, TABLE), scan)


def test_one_that_lies_elsewhere_is_refused(scan, labels):
    moved = dataclasses.replace(labels, grid=dataclasses.replace(GRID, origin=(900.0, 0.0, 0.0)))
    with pytest.raises(InputError, match="does not lie on"):
        result_of_file(Segmentation(moved, TABLE, MADE), scan)
