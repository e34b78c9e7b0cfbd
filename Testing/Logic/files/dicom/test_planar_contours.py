"""Outlines of masks, read back by asking which voxels' centres lie inside them."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from MedSegAI.Logic.errors import DependencyError
from MedSegAI.Logic.files.dicom.planar_contours import planar_contours
from MedSegAI.Logic.geometry import Grid

OBLIQUE = Grid((3, 40, 50), (0.7, 0.9, 2.5), (10, -20, 30), (0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1))


def filled(contours, grid):
    """The mask of outlines: a voxel belongs to it where its centre lies within an odd number of them."""
    mask = np.zeros(grid.shape, bool)
    centres = np.stack(np.meshgrid(*(np.arange(n) for n in grid.shape[1:]), indexing="ij"), axis=-1)
    for k, points in contours:
        kji = grid.kji_of(points)
        np.testing.assert_allclose(kji[:, 0], k, atol=1e-6)
        mask[k] ^= within(centres, kji[:, 1:])
    return mask


def within(places, corners):
    """Whether places (..., 2) lie within a closed polygon (n, 2), by the crossings of a ray along the second axis."""
    inside = np.zeros(places.shape[:-1], bool)
    for (a, b), (c, d) in zip(corners, np.roll(corners, -1, axis=0)):
        crosses = (a > places[..., 0]) != (c > places[..., 0])
        with np.errstate(divide="ignore", invalid="ignore"):
            at = (d - b) * (places[..., 0] - a) / (c - a) + b
        inside ^= crosses & (places[..., 1] < at)
    return inside


@pytest.fixture
def drawn():
    """A ring with an island in its hole, a diagonal pair of voxels, one alone, and one at the border."""
    mask = np.zeros(OBLIQUE.shape, bool)
    j, i = np.indices(OBLIQUE.shape[1:])
    radius = np.hypot(j - 18, i - 22)
    mask[1] = ((radius < 14) & (radius > 7)) | (radius < 3)
    mask[1, 35, 40] = mask[1, 36, 41] = True
    mask[2, 5, 5] = mask[2, 0, 0:4] = mask[2, 39, 49] = True
    return mask


def test_the_outlines_give_the_same_mask_again(drawn):
    contours = planar_contours(drawn, OBLIQUE)
    assert {k for k, _ in contours} == {1, 2}
    assert np.array_equal(filled(contours, OBLIQUE), drawn)


def test_random_masks_come_back_voxel_by_voxel():
    generator = np.random.default_rng(3)
    for share in (0.1, 0.5, 0.9):
        mask = generator.random((2, 30, 30)) < share
        grid = Grid(mask.shape)
        assert np.array_equal(filled(planar_contours(mask, grid), grid), mask), share


def test_a_ring_is_one_outline_with_a_cut_to_its_hole(drawn):
    ring = drawn.copy()
    ring[1, 16:21, 20:25] = False
    ring[2] = False
    ring[1, 35:, 40:] = False
    ((k, points),) = planar_contours(ring, OBLIQUE)
    assert k == 1
    starts = [tuple(np.round(point, 6)) for point in points]
    # The two ends of the cut are each walked twice.
    assert len(starts) - len(set(starts)) == 2


def test_a_square_has_its_corners_and_no_point_between():
    mask = np.zeros((1, 12, 12), bool)
    mask[0, 2:10, 2:10] = True
    ((_, points),) = planar_contours(mask, Grid(mask.shape))
    assert len(points) == 8
    assert (points[:, 0].min(), points[:, 0].max()) == (1.5, 9.5)


def test_without_contourpy_a_sentence_names_the_command_that_installs_it(drawn, monkeypatch):
    monkeypatch.setitem(sys.modules, "contourpy", None)
    with pytest.raises(DependencyError, match="pip install contourpy"):
        planar_contours(drawn, OBLIQUE)
