"""A scan in its file behaves as its array in memory would, and what is not asked for is not read."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.files.planes.open_planes import open_planes
from MedSegAI.Logic.files.planes.planes_array import PlanesArray, is_on_disk, on_disk, planes_of
from MedSegAI.Logic.files.write import write_volume
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.standardise.resample import resample
from MedSegAI.Logic.volume import Modality, Unit, Volume


@pytest.fixture
def scan() -> Volume:
    array = np.random.default_rng(0).integers(-1000, 1000, size=(9, 8, 7)).astype(np.int16)
    return Volume(array, Grid((9, 8, 7), (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)), Modality.CT, Unit.HOUNSFIELD, "a scan")


@pytest.fixture
def stored(scan: Volume, tmp_path) -> Volume:
    write_volume(tmp_path / "a scan.nrrd", scan)
    return on_disk(open_planes(tmp_path / "a scan.nrrd"))


@pytest.mark.parametrize(
    "index",
    [
        3,
        -1,
        slice(None),
        slice(2, 5),
        slice(5, 2),
        slice(None, None, 4),
        slice(7, None, -2),
        (slice(1, 8), slice(2, 4), slice(None, None, -1)),
        (slice(None), 3),
        (4, slice(1, 3), 2),
        (slice(None, None, 8),) * 3,
    ],
)
def test_it_is_indexed_as_an_array_is(scan: Volume, stored: Volume, index):
    np.testing.assert_array_equal(stored.array[index], scan.array[index])


def test_it_says_all_that_the_volume_in_memory_says(scan: Volume, stored: Volume):
    assert (stored.grid, stored.modality, stored.unit, stored.name) == (scan.grid, scan.modality, scan.unit, scan.name)
    assert (stored.array.shape, stored.array.dtype, stored.array.size) == (scan.array.shape, np.int16, scan.array.size)
    assert (len(stored.array), stored.array.ndim) == (9, 3)
    assert (stored.array.min(), stored.array.max()) == (scan.array.min(), scan.array.max())
    assert is_on_disk(stored)
    assert not is_on_disk(scan)


def test_whatever_needs_an_array_gets_all_of_it(scan: Volume, stored: Volume):
    np.testing.assert_array_equal(np.asarray(stored.array), scan.array)
    assert np.asarray(stored.array, dtype=np.float32).dtype == np.float32
    grid = Grid((6, 6, 6), (1.5, 2.5, 2.0), (5.0, 6.0, 8.0))
    np.testing.assert_array_equal(resample(stored, grid).array, resample(scan, grid).array)


def test_a_part_is_cut_without_reading_the_rest(scan: Volume):
    class Reading:
        def __init__(self) -> None:
            self.grid, self.dtype, self.read = scan.grid, scan.array.dtype, []

        def planes(self, start: int, stop: int) -> np.ndarray:
            self.read.append((start, stop))
            return scan.array[start:stop]

    source = Reading()
    box = Box((2, 1, 1), (5, 4, 4))
    np.testing.assert_array_equal(PlanesArray(source)[box.slices], scan.array[box.slices])
    assert source.read == [(2, 5)]


def test_planes_come_from_memory_or_from_the_file(scan: Volume, stored: Volume):
    for volume in (scan, stored):
        np.testing.assert_array_equal(planes_of(volume).planes(2, 4), scan.array[2:4])
