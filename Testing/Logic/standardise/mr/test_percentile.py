from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.mr.percentile import PercentileRange
from Testing.Logic.standardise.phantoms import head_array, mr_of

# 0, 1, ... 100: percentile p is p.
RAMP = np.arange(101, dtype=np.int16).reshape(1, 1, 101)


def applied(array, **settings):
    return PercentileRange(**settings).apply(mr_of(array), reporter=SilentReporter())


def test_percentiles_10_and_90_of_a_ramp_are_10_and_90():
    done = applied(RAMP, low=10, high=90)
    assert (done.record.figures["low_value"], done.record.figures["high_value"]) == (10, 90)
    assert done.volume.array.ravel()[[0, 10, 50, 90, 100]] == pytest.approx([-0.125, 0, 0.5, 1, 1.125])
    assert np.allclose(done.undo(done.volume.array), RAMP, atol=1e-4)


def test_what_lies_beyond_is_cut_off_where_asked_and_cannot_be_undone():
    done = applied(RAMP, low=10, high=90, clip=True)
    assert (done.volume.array.min(), done.volume.array.max()) == (0, 1)
    assert done.undo is None
    assert done.record.sentence == "Percentiles 10 (10) and 90 (90) became 0 and 1, and what lay beyond was cut off."


def test_clipping_that_cuts_nothing_can_be_undone():
    assert applied(RAMP, low=0, high=100, clip=True).undo is not None


def test_the_percentiles_of_the_foreground_are_not_those_of_the_scan():
    head = head_array()
    assert applied(head, foreground="auto").record.figures["low_value"] > 150
    assert applied(head).record.figures["low_value"] < 10


def test_real_crops_get_one_range_whatever_their_maximum(hippocampus_crops):
    for crop in hippocampus_crops:
        array = read_volume(crop.image).array
        mapped = applied(array, low=2, high=98).volume.array
        assert np.percentile(mapped, (2, 98)) == pytest.approx([0, 1], abs=1e-4)


def test_percentiles_that_are_the_same_value_are_refused():
    array = np.zeros((5, 5, 5))
    array[0, 0, 0] = 1
    with pytest.raises(InputError, match="are the same value, 0"):
        applied(array, low=5, high=95)


@pytest.mark.parametrize(
    "settings",
    [{"low": 60, "high": 40}, {"low": -1}, {"high": 101}, {"low": np.nan}, {"clip": "no"}, {"foreground": ""}],
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ValueError, match=r"percentiles|clip|foreground|'low' is nan"):
        PercentileRange(**settings)
