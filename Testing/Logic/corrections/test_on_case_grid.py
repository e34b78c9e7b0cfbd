"""Masks from elsewhere keep every voxel where it lies in the patient, or are refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.corrections.on_case_grid import on_case_grid
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.volume import Volume
from Testing.Logic.corrections.conftest import GRID


@pytest.fixture
def mask():
    array = np.zeros(GRID.shape, np.uint8)
    array[1:3, 2:7, 3:5] = 1
    array[2, 2, 3] = 2
    return Volume(array, GRID, name="mask")


def test_a_mask_on_a_part_of_the_grid_and_one_that_reaches_beyond_it_are_placed(mask):
    for box in (Box((1, 2, 3), (3, 7, 5)), Box((-2, -1, -3), (8, 9, 12)), Box((0, 1, 2), (4, 8, 14))):
        cut = Volume(np.zeros(box.shape, np.uint8), GRID.crop(box), name="cut")
        inside = box.clip(GRID.shape)
        cut.array[inside.shift(tuple(-n for n in box.start)).slices] = mask.array[inside.slices]
        placed = on_case_grid(cut, GRID)
        assert np.array_equal(placed.array, mask.array)
        assert (placed.grid, placed.name) == (GRID, "cut")


def test_the_axes_may_run_in_any_order_and_direction(mask):
    """All 48 ways to store one volume, made by ITK."""
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((False, True), repeat=3):
            image = sitk.Flip(sitk.PermuteAxes(mask.to_sitk(), order), flips)
            placed = on_case_grid(Volume.from_sitk(image), GRID)
            assert np.array_equal(placed.array, mask.array), (order, flips)


@pytest.mark.parametrize(
    ("grid", "sentence"),
    [
        (Grid(GRID.shape, GRID.spacing, (10.2, -20.5, 30.25)), "they lie 0.2 mm beside it"),
        (Grid(GRID.shape, (0.5, 0.75, 1.0), GRID.origin), "these are 0.5 x 0.75 x 1 mm"),
        (Grid(GRID.shape, GRID.spacing, GRID.origin, (0.8, 0.6, 0, -0.6, 0.8, 0, 0, 0, 1)), "axes point another way"),
    ],
)
def test_a_mask_between_the_voxels_is_refused_with_the_difference(mask, grid, sentence):
    with pytest.raises(InputError, match=f"'mask' does not lie on the case's grid: .*{sentence}"):
        on_case_grid(Volume(mask.array, grid, name="mask"), GRID)


def test_labels_outside_the_scan_are_refused_and_background_there_is_not(mask):
    far = GRID.crop(Box((20, 20, 20), (24, 24, 24)))
    assert not on_case_grid(Volume(np.zeros(far.shape, np.uint8), far), GRID).array.any()
    for box in (Box((20, 20, 20), (24, 24, 24)), Box((0, 0, 0), (7, 8, 10))):
        with pytest.raises(InputError, match="labels outside the case's scan"):
            on_case_grid(Volume(np.ones(box.shape, np.uint8), GRID.crop(box)), GRID)
