"""Measures of bodies whose size is known, on grids of every kind."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.measure.nodule import NoduleMeasures, measure_nodule
from MedSegAI.Logic.volume import Modality, Unit, Volume

TURN = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
TILT = np.array([[1.0, 0.0, 0.0], [0.0, 0.96, -0.28], [0.0, 0.28, 0.96]])
CORONAL = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
NODULE_HU, LUNG_HU = 35.0, -850.0


def a_body(half_axes_lps, *, spacing, direction=None, extent_mm=40.0):
    """An ellipsoid along the patient's axes around LPS (3, 4, 5), and a CT that shows it in lung."""
    direction = np.eye(3) if direction is None else direction
    size = [round(extent_mm / step) for step in spacing]
    grid = Grid(size[::-1], spacing, direction=tuple(direction.ravel()))
    middle = grid.lps_of((np.array(grid.shape) - 1) / 2)
    grid = Grid(grid.shape, spacing, tuple(np.array([3.2, 4.1, 4.7]) - middle), grid.direction)
    points = grid.lps_of(np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1))
    inside = (((points - [3, 4, 5]) / half_axes_lps) ** 2).sum(axis=-1) <= 1
    scan = np.where(inside, NODULE_HU, LUNG_HU).astype(np.float32)
    return Volume(np.where(inside, 3, 0).astype(np.uint8), grid), Volume(scan, grid, Modality.CT, Unit.HOUNSFIELD)


@pytest.mark.parametrize(
    ("spacing", "direction"),
    [((1.0, 1.0, 1.0), None), ((0.7, 0.7, 2.5), None), ((0.8, 0.8, 1.25), TURN), ((1.0, 1.0, 1.0), TILT)],
)
def test_a_ball_is_measured_alike_on_every_grid(spacing, direction):
    found = measure_nodule(*_with_value(a_body((8.0, 8.0, 8.0), spacing=spacing, direction=direction)))
    assert found.volume_mm3 == pytest.approx(4 / 3 * np.pi * 512, rel=0.03)
    assert found.volume_ml == found.volume_mm3 / 1000
    assert found.long_mm == pytest.approx(16.0, abs=0.8)
    assert found.short_mm == pytest.approx(16.0, abs=0.8)
    assert found.longest_3d_mm == pytest.approx(16.0, abs=max(spacing))
    assert found.mean == NODULE_HU


def test_an_ellipsoid_has_its_axes_in_the_axial_plane_and_its_longest_one_in_space():
    found = measure_nodule(*_with_value(a_body((10.0, 6.0, 14.0), spacing=(0.8, 0.8, 1.0))))
    assert found.long_mm == pytest.approx(20.0, abs=0.8)
    assert found.short_mm == pytest.approx(12.0, abs=0.8)
    assert found.diameter_mm == pytest.approx(16.0, abs=0.8)
    assert found.longest_3d_mm == pytest.approx(28.0, abs=1.0)


def test_axial_planes_are_the_patients_whichever_way_the_slices_were_stored():
    """Stored as coronal slices, the plane of measuring still is the one across the patient's long axis."""
    axial, coronal = (
        measure_nodule(*_with_value(a_body((10.0, 6.0, 14.0), spacing=(1.0, 1.0, 1.0), direction=direction)))
        for direction in (None, CORONAL)
    )
    assert coronal.long_mm == pytest.approx(axial.long_mm, abs=0.6)
    assert coronal.short_mm == pytest.approx(axial.short_mm, abs=0.6)


def test_the_scan_may_be_larger_than_the_labels():
    labels, scan = a_body((5.0, 5.0, 5.0), spacing=(1.0, 1.0, 2.0))
    from MedSegAI.Logic.geometry import Box

    part = labels.crop(Box((4, 6, 8), (16, 34, 32)))
    assert measure_nodule(part, 3, scan) == measure_nodule(labels, 3, scan)


def test_an_absent_label_has_no_measures():
    labels, scan = a_body((5.0, 5.0, 5.0), spacing=(1.0, 1.0, 1.0))
    assert measure_nodule(labels, 1, scan) is None


def test_measures_survive_as_plain_values():
    found = measure_nodule(*_with_value(a_body((5.0, 5.0, 5.0), spacing=(1.0, 1.0, 1.0))))
    assert NoduleMeasures.from_plain(found.to_plain()) == found


def _with_value(body):
    labels, scan = body
    return labels, 3, scan
