from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.ct.clip import ClipCt
from MedSegAI.Logic.volume import Unit
from Testing.Logic.standardise.phantoms import ct_array, ct_of, volume_of


def with_fill_and_metal(dtype=np.int16):
    array = np.maximum(ct_array(), -1024).astype(dtype)
    array[0, 0, :7] = -3024
    array[5, 40, 40:43] = 12_000
    return array


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
def test_fill_and_metal_are_clipped_and_counted_and_the_dtype_stays(dtype):
    done = ClipCt().apply(ct_of(with_fill_and_metal(dtype)), reporter=SilentReporter())
    assert done.volume.array.dtype == dtype
    assert (done.volume.array.min(), done.volume.array.max()) == (-1024, 3071)
    assert (done.record.figures["voxels_below"], done.record.figures["voxels_above"]) == (7, 3)
    assert "7 of" in done.record.sentence and "voxels lay below and 3 above" in done.record.sentence
    assert done.undo is None


def test_what_lies_within_is_left_as_it_is():
    array = with_fill_and_metal()
    clipped = ClipCt().apply(ct_of(array), reporter=SilentReporter()).volume.array
    within = (array >= -1024) & (array <= 3071)
    assert np.array_equal(clipped[within], array[within])


def test_where_nothing_was_clipped_there_is_nothing_to_undo():
    array = ct_array()
    done = ClipCt(-2000, 4000).apply(ct_of(array), reporter=SilentReporter())
    assert np.array_equal(done.undo(done.volume.array), array)


def test_own_limits_that_are_no_whole_numbers_hold_for_integers():
    clipped = ClipCt(-99.5, 40.5).apply(ct_of(ct_array()), reporter=SilentReporter()).volume.array
    assert (clipped.min(), clipped.max()) == (-99, 40)


@pytest.mark.parametrize("limits", [(10, 10), (5, -5), (np.nan, 3), (0, np.inf)])
def test_limits_that_are_none_are_refused(limits):
    with pytest.raises(ValueError, match=r"limits .* in order|must be a number"):
        ClipCt(*limits)


def test_a_scan_that_is_not_in_hounsfield_units_is_refused():
    with pytest.raises(InputError, match="step 'hounsfield'"):
        ClipCt().apply(ct_of(ct_array(1024), Unit.ARBITRARY), reporter=SilentReporter())
    assert ClipCt().apply(volume_of(ct_array()), reporter=SilentReporter()).volume.unit is Unit.HOUNSFIELD
