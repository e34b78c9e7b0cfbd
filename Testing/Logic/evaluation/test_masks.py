"""Masks are checked, and cut to where they hold anything."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.masks import as_masks, box_around
from MedSegAI.Logic.geometry import Box


@pytest.mark.parametrize("seed", range(5))
def test_the_box_is_the_one_that_the_library_finds_elsewhere(seed):
    mask = np.random.default_rng(seed).random((9, 11, 7)) > 0.99
    assert box_around(mask) == Box.around(mask)


def test_an_empty_mask_has_no_box_and_a_full_one_the_whole():
    assert box_around(np.zeros((3, 4, 5), bool)) is None
    assert box_around(np.ones((3, 4, 5), bool)) == Box.whole((3, 4, 5))


def test_what_is_not_zero_is_inside_and_a_bool_mask_is_not_copied():
    mask = np.zeros((2, 2, 2), bool)
    found, true = as_masks(mask, mask.astype(np.int16) - 3)
    assert found is mask
    assert true.all()


def test_masks_of_two_shapes_are_refused():
    with pytest.raises(InputError, match="cannot be compared"):
        as_masks(np.zeros((2, 2, 2)), np.zeros((2, 2, 3)))
