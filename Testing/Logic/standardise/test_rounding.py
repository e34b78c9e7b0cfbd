"""Integers come out of floating-point numbers by rounding, and no value wraps around."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.standardise.rounding import rounded_to


def test_halves_go_to_the_even_neighbour():
    values = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999], np.float32)
    np.testing.assert_array_equal(rounded_to(values, np.int16), [-2, -2, 0, 0, 2, 2, 2])
    np.testing.assert_array_equal(values, np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4999], np.float32))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
@pytest.mark.parametrize("floating", [np.float32, np.float64])
def test_values_beyond_the_limits_stop_there(dtype, floating):
    limits = np.iinfo(dtype)
    with np.errstate(all="raise"):
        found = rounded_to(np.array([-1e30, 0, 1e30], floating), dtype)
    assert found.dtype == dtype
    assert found[0] == limits.min and found[1] == 0
    # The largest float32 below 2**31 - 1 is all that a float32 can say of it.
    assert limits.max * 0.9999999 <= int(found[2]) <= limits.max


def test_integers_become_other_integers_without_wrapping():
    values = np.array([-5, 0, 300], np.int16)
    np.testing.assert_array_equal(rounded_to(values, np.uint8), [0, 0, 255])
    assert rounded_to(values, np.int16) is values


def test_what_is_above_a_half_is_true():
    np.testing.assert_array_equal(rounded_to(np.array([-3, 0.4, 0.6, 7]), np.bool_), [False, False, True, True])
    np.testing.assert_array_equal(rounded_to(np.array([True, False]), np.uint8), [1, 0])
    np.testing.assert_array_equal(rounded_to(np.array([1, 2], np.int16), np.float32), np.array([1, 2], np.float32))
