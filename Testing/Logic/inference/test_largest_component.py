"""Islands go, the structure and all its parts stay."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.inference.largest_component import keep_largest_component


def a_structure_of_two_parts() -> np.ndarray:
    labels = np.zeros((12, 12, 12), np.uint8)
    labels[2:5, 2:5, 2:5] = 1
    labels[5:7, 5:7, 5:7] = 2
    return labels


def test_an_island_of_either_label_goes():
    clean = a_structure_of_two_parts()
    littered = clean.copy()
    littered[10, 10, 10], littered[0, 11, 0] = 1, 2
    np.testing.assert_array_equal(keep_largest_component(littered), clean)


def test_parts_that_touch_at_a_corner_stay_together():
    labels = a_structure_of_two_parts()
    assert keep_largest_component(labels) is labels


def test_an_empty_map_stays_empty():
    empty = np.zeros((4, 4, 4), np.uint8)
    assert keep_largest_component(empty) is empty
