"""Islands go, the structure and all its parts stay."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.inference.islands import without_islands


def a_structure_of_two_parts() -> np.ndarray:
    labels = np.zeros((12, 12, 12), np.uint8)
    labels[2:5, 2:5, 2:5] = 1
    labels[5:7, 5:7, 5:7] = 2
    return labels


def test_an_island_of_either_label_goes():
    clean = a_structure_of_two_parts()
    littered = clean.copy()
    littered[10, 10, 10], littered[0, 11, 0] = 1, 2
    np.testing.assert_array_equal(without_islands(littered), clean)


def test_both_halves_of_a_broken_structure_stay():
    labels = a_structure_of_two_parts()
    labels[9:11, 9:11, 9:11] = 2
    np.testing.assert_array_equal(without_islands(labels), labels)


def test_parts_that_touch_at_a_corner_stay_together():
    labels = a_structure_of_two_parts()
    assert without_islands(labels) is labels


def test_an_empty_map_stays_empty():
    empty = np.zeros((4, 4, 4), np.uint8)
    assert without_islands(empty) is empty
