"""Label values are counted exactly and in little memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from MedSegAI.Logic.errors import LabelError
from MedSegAI.Logic.label_counts import label_counts, label_values, refuse_unnamed
from MedSegAI.Logic.labels import Label, LabelTable


def test_counts_are_numpys():
    array = np.random.default_rng(0).integers(0, 256, (5, 6, 7), dtype=np.uint8)
    np.testing.assert_array_equal(label_counts(array), np.bincount(array.ravel(), minlength=256))


def test_values_leave_the_background_out_and_an_empty_map_has_none():
    array = np.zeros((3, 4, 5), np.uint8)
    assert label_values(array) == set()
    array[0, 0, 0], array[2, 3, 4] = 255, 7
    assert label_values(array) == {7, 255}
    assert label_values(array[:0]) == set()


def test_a_value_that_the_table_lacks_is_refused_by_its_number():
    array = np.zeros((3, 4, 5), np.uint8)
    array[0, 0, 0], array[2, 3, 4] = 9, 7
    table = LabelTable((Label(7, "liver", "Liver", (1.0, 0.0, 0.0)),))
    with pytest.raises(LabelError, match=r"without a name: \[9\]"):
        refuse_unnamed(array, table)
    refuse_unnamed(np.minimum(array, 7), table)
    array[0, 0, 0] = 3
    with pytest.raises(LabelError, match=r"without a name: \[3\]"):
        refuse_unnamed(array, table)
    refuse_unnamed(array[:0], table)


def test_counting_takes_far_less_memory_than_eight_bytes_a_voxel():
    array = np.zeros((64, 128, 128), np.uint8)
    tracemalloc.start()
    label_counts(array)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < array.size
