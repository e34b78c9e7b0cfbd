from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.standardise.mr.value_map import ValueMap


def test_straight_lines_between_the_knots_and_on_beyond_them():
    mapping = ValueMap.through(np.array([0, 10, 20]), np.array([0, 50, 60]))
    # Beyond the ends the slope is that of the whole, 60 / 20.
    values = np.array([-10, 0, 5, 10, 15, 20, 30]).reshape(1, 1, 7)
    assert mapping(values).ravel() == pytest.approx([-30, 0, 25, 50, 55, 60, 90])
    assert mapping(values).dtype == np.float32


def test_the_inverse_brings_every_value_back():
    mapping = ValueMap.through(np.array([1, 4, 9, 100]), np.array([-3, 0.5, 2, 3]))
    values = np.linspace(-50, 300, 351).reshape(3, 9, 13)
    assert np.allclose(mapping.inverse(mapping(values)), values, atol=1e-3)


def test_knots_that_do_not_rise_are_left_out_so_that_it_stays_invertible():
    mapping = ValueMap.through(np.array([0, 0, 5, 7, 10]), np.array([0, 1, 2, 2, 4]))
    assert (mapping.old.tolist(), mapping.new.tolist()) == ([0, 5, 10], [0, 2, 4])


@pytest.mark.parametrize(("old", "new"), [([3, 3, 3], [0, 1, 2]), ([0, 1, 2], [3, 3, 3])])
def test_a_map_onto_one_value_is_refused(old, new):
    with pytest.raises(ValueError, match="fewer than two"):
        ValueMap.through(np.array(old), np.array(new))
