"""Diameters of shapes whose diameters are known."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.measure.diameters import edge_places, longest_diameter, plane_diameters


def an_ellipse(half_axes: tuple[float, float], *, turned: float, spacing: tuple[float, float]) -> np.ndarray:
    """A filled ellipse in the middle of a plane of 60 mm; its long axis ``turned`` degrees from the columns."""
    count = [round(60 / step) for step in spacing]
    rows, columns = (step * (np.arange(n) - (n - 1) / 2) for n, step in zip(count, spacing))
    y, x = np.meshgrid(rows, columns, indexing="ij")
    angle = np.deg2rad(turned)
    along, across = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    return (along / half_axes[0]) ** 2 + (across / half_axes[1]) ** 2 <= 1


def test_the_edge_lies_half_a_voxel_beyond_the_outermost_centres():
    places = edge_places(np.array([[True]]), (2.0, 3.0))
    assert sorted(map(tuple, places)) == [(-1.0, 0.0), (0.0, -1.5), (0.0, 1.5), (1.0, 0.0)]


def test_a_row_of_voxels_is_as_long_as_its_voxels_and_one_wide():
    found = plane_diameters(np.ones((1, 7), dtype=bool), (0.5, 2.0))
    assert found.long_mm == pytest.approx(14.0)
    assert found.short_mm == pytest.approx(0.5)
    assert abs(found.ends[1] - found.ends[0]) == pytest.approx((0.0, 14.0))


def test_one_voxel_has_the_size_of_a_voxel():
    assert longest_diameter(np.ones((1, 1, 1), dtype=bool), (5.0, 0.7, 0.7)) == pytest.approx(5.0)


@pytest.mark.parametrize("turned", [0, 20, 45, 90, 130])
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 1.0), (0.7, 0.7)])
def test_an_ellipse_has_its_two_axes_however_it_lies(turned, spacing):
    found = plane_diameters(an_ellipse((12.0, 7.0), turned=turned, spacing=spacing), spacing)
    assert found.long_mm == pytest.approx(24.0, abs=max(spacing))
    assert found.short_mm == pytest.approx(14.0, abs=max(spacing))


def test_the_short_diameter_is_perpendicular_and_not_the_narrowest():
    """A thin band at 45 degrees: along the rows it is wide, across itself it is narrow."""
    rows, columns = np.indices((40, 40))
    band = np.abs(rows - columns) <= 2
    found = plane_diameters(band, (1.0, 1.0))
    assert found.long_mm == pytest.approx(40 * np.sqrt(2), abs=1.5)
    assert found.short_mm == pytest.approx(5 / np.sqrt(2), abs=1.0)


def test_the_longest_diameter_in_space_runs_in_any_direction():
    rod = np.zeros((30, 30, 30), dtype=bool)
    places = np.arange(30)
    rod[places, places, places] = True
    assert longest_diameter(rod, (1.0, 1.0, 1.0)) == pytest.approx(29 * np.sqrt(3) + 0.58, abs=0.05)
    assert longest_diameter(rod, (2.0, 1.0, 1.0)) == pytest.approx(29 * np.sqrt(6), abs=2.0)


def test_nothing_has_no_diameter():
    assert plane_diameters(np.zeros((4, 4), dtype=bool), (1.0, 1.0)) is None
    assert longest_diameter(np.zeros((4, 4, 4), dtype=bool), (1.0, 1.0, 1.0)) == 0
