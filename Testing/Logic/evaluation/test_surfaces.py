"""Surfaces as points, made once and measured against many others."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.evaluation.surfaces import hd95_between, surface_voxels


def a_slab(start: int) -> np.ndarray:
    mask = np.zeros((9, 9, 20), bool)
    mask[2:7, 2:7, start : start + 3] = True
    return mask


def test_the_surface_of_a_slab_leaves_out_its_core_and_is_in_mm():
    surface = surface_voxels(a_slab(4), spacing_kji=(3.0, 2.0, 1.0))
    assert len(surface.points) == 5 * 5 * 3 - 3 * 3 * 1
    np.testing.assert_array_equal(surface.points.min(0), [6.0, 4.0, 4.0])
    np.testing.assert_array_equal(surface.points.max(0), [18.0, 12.0, 6.0])


def test_distances_are_those_of_a_distance_map():
    from scipy.ndimage import distance_transform_edt

    spacing = (3.0, 2.0, 1.0)
    one, other = (surface_voxels(a_slab(n), spacing_kji=spacing) for n in (2, 9))
    border = np.zeros((9, 9, 20), bool)
    border[tuple(np.round(other.points / spacing).astype(int).T)] = True
    expected = distance_transform_edt(~border, sampling=spacing)
    places = tuple(np.round(one.points / spacing).astype(int).T)
    np.testing.assert_allclose(one.distances_to(other), expected[places])


def test_what_is_further_than_asked_for_is_infinitely_far():
    one, other = (surface_voxels(a_slab(n), spacing_kji=(1, 1, 1)) for n in (2, 4))
    assert set(one.distances_to(other, at_most=1.0)) <= {0.0, 1.0, np.inf}
    assert hd95_between(one, other) == pytest.approx(2.0)


def test_an_empty_mask_has_no_surface_and_no_distance():
    nothing = surface_voxels(np.zeros((3, 3, 3), bool), spacing_kji=(1, 1, 1))
    assert nothing.is_empty
    assert hd95_between(nothing, nothing) is None
