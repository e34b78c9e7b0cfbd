"""A grid at another spacing covers the same block of the patient along the same axes."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.standardise.target_grids import grid_with_spacing

TURNED = np.linalg.qr(np.array([[1.0, 0.2, 0.1], [-0.3, -1.0, 0.2], [0.1, 0.2, 1.0]]))[0]


def test_the_axes_stay_and_the_block_is_covered():
    grid = Grid((10, 20, 30), (0.5, 1.0, 3.0), (5, 6, 7), tuple(TURNED.ravel()))
    found = grid_with_spacing(grid, (0.7, 0.9, 1.7))
    assert found.direction == grid.direction and found.spacing == (0.7, 0.9, 1.7)
    extent = np.array(found.size) * found.spacing - np.array(grid.size) * grid.spacing
    assert np.all(extent >= -1e-9) and np.all(extent < found.spacing)
    np.testing.assert_allclose(found.corners_lps().mean(0), grid.corners_lps().mean(0), atol=1e-9)


def test_an_axis_within_one_percent_keeps_its_voxels():
    grid = Grid((10, 20, 30), (0.5, 1.0, 3.0), (5, 6, 7))
    found = grid_with_spacing(grid, (0.504, 2.0, 3.0))
    assert found.spacing == (0.5, 2.0, 3.0) and found.size == (30, 10, 10)


@pytest.mark.parametrize("spacing", [(0, 1, 1), (1, -1, 1), (1, 1, float("nan")), (1, 1, float("inf"))])
def test_a_spacing_that_is_none_is_refused(spacing):
    with pytest.raises(InputError, match="not usable"):
        grid_with_spacing(Grid((3, 3, 3)), spacing)


def test_a_spacing_in_metres_is_refused():
    with pytest.raises(InputError, match="too fine"):
        grid_with_spacing(Grid((100, 500, 500)), (0.0005, 0.0005, 0.001))
