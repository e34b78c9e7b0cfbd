from __future__ import annotations

import numpy as np

from MedSegAI.Logic.standardise.ct.outside_air import outside_air
from Testing.Logic.standardise.phantoms import ct_array


def test_the_air_around_the_body_is_found_without_lung_or_border():
    values, looked_at = outside_air(ct_array(), -880)
    assert looked_at == 24 * 80 * 80
    assert 0.2 * looked_at < values.size < 0.5 * looked_at
    assert values.max() < -950


def test_a_body_that_fills_the_scan_has_none():
    values, _ = outside_air(np.full((5, 20, 20), 40, np.int16), -880)
    assert values.size == 0


def test_air_inside_the_body_is_not_outside_air_even_where_it_reaches_the_first_plane():
    array = np.full((10, 40, 40), 40, np.int16)
    array[:, 15:25, 15:25] = -1000
    assert outside_air(array, -880)[0].size == 0


def test_what_lies_beside_something_else_is_left_out():
    array = np.full((3, 20, 20), 40, np.int16)
    array[:, :10] = -1000
    array[:, 8:10] = -950
    assert set(outside_air(array, -880)[0]) == {-1000}
