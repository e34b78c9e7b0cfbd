"""A region as the user writes it becomes a box of voxels, or a sentence that says how to write it."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import RegionError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.localise.region_of_interest import parse_region
from MedSegAI.Logic.reporter import SilentReporter


@pytest.fixture
def grid():
    """10 x 20 x 30 voxels (i, j, k) of 1 x 2 x 3 mm, i to Right, j to Anterior: RAS x -5..5, y 0..40, z -45..45 mm."""
    return Grid((30, 20, 10), (1, 2, 3), (4.5, -1, -43.5), (-1, 0, 0, 0, -1, 0, 0, 0, 1))


@pytest.fixture
def reporter():
    return SilentReporter()


def test_voxels_are_half_open_and_in_index_order(grid, reporter):
    assert parse_region("1:4,2:8,10:30", grid, reporter=reporter) == Box((10, 2, 1), (30, 8, 4))
    assert reporter.messages == []


def test_millimetres_are_ras_as_slicer_shows_them(grid, reporter):
    assert grid.corners_lps().min(0).tolist() == [-5.0, -40.0, -45.0]
    box = parse_region("-5, 0, 0, 10, -45, 0", grid, reporter=reporter)
    assert box == Box((0, 0, 0), (15, 5, 5))
    assert reporter.messages == []


def test_every_voxel_centre_within_the_millimetres_is_inside_on_an_oblique_grid(reporter):
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    grid = Grid((30, 20, 40), (1, 2, 3), (4.5, -1, -43.5), tuple(turn.ravel()))
    wanted = (-40.0, -10.0, -45.0, -20.0, -30.0, 0.0)
    box = parse_region(",".join(map(str, wanted)), grid, reporter=reporter)
    kji = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), -1).reshape(-1, 3)
    ras = grid.lps_of(kji) * [-1, -1, 1]
    inside = np.all((ras >= wanted[0::2]) & (ras <= wanted[1::2]), axis=1)
    assert inside.sum() > 100
    assert np.all((kji[inside] >= box.start) & (kji[inside] < box.stop))


def test_a_part_outside_is_cut_off_with_a_message(grid, reporter):
    assert parse_region("-3:4,2:99,10:30", grid, reporter=reporter) == Box((10, 2, 0), (30, 20, 4))
    assert "was cut off" in reporter.messages[0]
    assert "0:10,0:20,0:30" in reporter.messages[0]


@pytest.mark.parametrize(
    ("text", "bounds"),
    [("20:30,0:5,0:5", "0:10,0:20,0:30"), ("100,120,0,10,0,10", "-5.0,5.0,0.0,40.0,-45.0,45.0")],
)
def test_a_region_outside_is_refused_with_the_bounds_in_the_same_terms(grid, reporter, text, bounds):
    with pytest.raises(RegionError, match="lies outside the scan") as caught:
        parse_region(text, grid, reporter=reporter)
    assert bounds in caught.value.advice


@pytest.mark.parametrize(
    "text", ["", "hippocampus", "1,2,3", "1:2,3:4", "1:2,3:4,5,6", "0,1,0,1,0,nan", "0,1,2,3,4,5,6"]
)
def test_text_that_is_no_region_is_refused_with_both_forms(grid, reporter, text):
    with pytest.raises(RegionError, match="could not be understood") as caught:
        parse_region(text, grid, reporter=reporter)
    assert "x0,x1,y0,y1,z0,z1" in caught.value.advice
    assert "i0:i1,j0:j1,k0:k1" in caught.value.advice


@pytest.mark.parametrize("text", ["5:5,0:3,0:3", "7:2,0:3,0:3", "0.1,0.2,0,10,0,10"])
def test_a_region_without_voxels_is_refused(grid, reporter, text):
    with pytest.raises(RegionError, match="holds no voxel"):
        parse_region(text, grid, reporter=reporter)


def test_millimetres_the_wrong_way_round_are_refused(grid, reporter):
    with pytest.raises(RegionError, match="the first number must be the smaller"):
        parse_region("5,-5,0,10,0,10", grid, reporter=reporter)
