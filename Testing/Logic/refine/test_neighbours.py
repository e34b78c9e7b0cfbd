"""Neighbours share a face; a border's cost is its area times how alike the two sides are."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.refine.neighbours import neighbours


def test_pairs_have_a_common_face_and_a_free_voxel():
    free = np.zeros((3, 3, 3), dtype=bool)
    free[1, 1, 1] = True
    pairs = neighbours(np.zeros((3, 3, 3)), free, spacing_kji=(1.0, 1.0, 1.0))
    assert sorted(zip(pairs.first.tolist(), pairs.second.tolist())) == [
        (4, 13), (10, 13), (12, 13), (13, 14), (13, 16), (13, 22),
    ]  # fmt: skip


def test_in_a_flat_image_likeness_is_the_faces_area_over_the_distance():
    """Voxels of 4 x 1 x 2 mm have faces of 2, 8 and 4 mm2, 4, 1 and 2 mm apart; a cube of 8 mm3 has 4 over 2."""
    free = np.zeros((3, 3, 3), dtype=bool)
    free[1, 1, 1] = True
    pairs = neighbours(np.full((3, 3, 3), 7, dtype=np.int16), free, spacing_kji=(4.0, 1.0, 2.0))
    of_length = dict(zip(pairs.length_mm.tolist(), pairs.likeness.tolist()))
    assert of_length == pytest.approx({4.0: 2 / 4 / 2, 1.0: 8 / 1 / 2, 2.0: 4 / 2 / 2})


def test_likeness_falls_across_an_edge_whatever_the_units_of_the_image():
    image = np.zeros((1, 1, 6))
    image[..., 3:] = 1
    free = np.ones(image.shape, dtype=bool)
    small, large = (neighbours(scale * image, free, spacing_kji=(1.0, 1.0, 1.0)).likeness for scale in (1e-3, 1e4))
    assert np.allclose(small, large)
    assert small[2] < 0.1 and np.allclose(np.delete(small, 2), 1)


def test_unsigned_voxels_do_not_wrap_around():
    image = np.array([[[200, 10, 200]]], dtype=np.uint8)
    pairs = neighbours(image, np.ones(image.shape, dtype=bool), spacing_kji=(1.0, 1.0, 1.0))
    assert np.allclose(pairs.step, 1)
