"""Points as people write them, and the grid that has one exactly in its middle."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import RegionError
from MedSegAI.Logic.geometry import Grid, swap_lps_and_ras
from MedSegAI.Logic.localise.points import (
    PointForm,
    box_around,
    middle_of,
    parse_point,
    point_grid,
    point_ras,
    refuse_outside,
)

TURN = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
CT = Grid((100, 200, 200), (0.7, 0.7, 2.5), (-70.0, -70.0, -300.0))


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("-44.5, 12,-30", PointForm.RAS, (-44.5, 12.0, -30.0)),
        ("44.5,-12,-30", PointForm.LPS, (-44.5, 12.0, -30.0)),
        ("100,10,20", PointForm.VOXEL, (0.0, 63.0, -250.0)),
    ],
)
def test_a_point_is_written_in_millimetres_or_voxels(text, form, expected):
    assert point_ras(parse_point(text, form), form, CT) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "1,2", "1,2,3,4", "a,b,c", "1,2,inf", "nan,0,0"])
def test_what_is_no_point_is_refused_with_an_example(text):
    with pytest.raises(RegionError, match="could not be understood") as refused:
        parse_point(text, PointForm.VOXEL)
    assert "i,j,k" in refused.value.advice


@pytest.mark.parametrize("direction", [np.eye(3), TURN, -np.eye(3), np.eye(3)[[2, 0, 1]]])
@pytest.mark.parametrize("size_mm", [(64.0, 64.0, 64.0), (33.0, 48.0, 20.0)])
def test_the_point_is_the_middle_to_a_fraction_of_a_voxel(direction, size_mm):
    scan = Grid((40, 50, 60), (0.7, 0.8, 2.5), (3.3, -7.1, 12.9), tuple(direction.ravel()))
    point = (1.234, -5.678, 20.5)
    grid = point_grid(point, scan, size_mm=size_mm, spacing_mm=(1.0, 1.0, 1.0))
    assert grid.size == tuple(int(extent) for extent in size_mm)
    assert swap_lps_and_ras(grid.lps_of(np.array(middle_of(grid)))) == pytest.approx(point)
    ras = np.diag(swap_lps_and_ras(grid.direction_matrix.T).T)
    assert (ras >= 0.5).all(), "i runs to Right, j to Anterior, k to Superior"


def test_a_point_outside_the_scan_is_refused_with_the_scans_bounds():
    refuse_outside((69.9, 0.0, -250.0), CT, name="ct")
    with pytest.raises(RegionError, match=r"71\.0, 0\.0, -250\.0 .*outside 'ct'") as refused:
        refuse_outside((71.0, 0.0, -250.0), CT, name="ct")
    assert "-69.6,70.4" in refused.value.advice


def test_a_box_around_a_point_is_written_as_a_region():
    assert box_around((-26.5, -22.0, -14.0), (36.0, 50.0, 36.0)) == "-44.5,-8.5,-47,3,-32,4"
