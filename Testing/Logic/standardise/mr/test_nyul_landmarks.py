from __future__ import annotations

import json

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.mr.nyul_landmarks import NyulLandmarks, landmarks_of, train_landmarks
from Testing.Logic.standardise.phantoms import mr_of

# 0, 1, ... 100: percentile p is p; the square of it has its percentile p at p squared.
RAMP = np.arange(101, dtype=np.float32).reshape(1, 1, 101)
PERCENTILES = (0.0, 50.0, 100.0)


def learned(*arrays):
    return train_landmarks((mr_of(array) for array in arrays), percentiles=PERCENTILES, foreground="all")


def test_a_scans_landmarks_are_its_percentiles():
    assert landmarks_of(mr_of(RAMP * 3), (10, 90), "all").tolist() == pytest.approx([30, 270])


def test_the_standard_is_the_mean_of_the_scans_brought_to_0_and_100():
    # The ramp has its median at 50 of 100, its square at 2500 of 10000, which is 25 of 100.
    found = learned(RAMP, RAMP**2)
    assert found.values == pytest.approx((0, 37.5, 100))
    assert (found.scans, found.percentiles, found.foreground) == (2, PERCENTILES, "all")


def test_scale_and_offset_of_a_scan_do_not_matter():
    assert learned(RAMP, 7 * RAMP + 1000).values == pytest.approx((0, 50, 100))


def test_the_text_holds_all_and_is_read_back_to_the_same():
    found = learned(RAMP, RAMP**2)
    assert NyulLandmarks.from_json(found.to_json()) == found
    assert json.loads(found.to_json())["landmarks"] == pytest.approx([0, 37.5, 100])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": "something"}, "at 'format'"),
        ({"version": 2}, "at 'version'"),
        ({"landmarks": [0, "a", 100]}, "at 'landmarks/1'"),
        ({"landmarks": [0]}, "at 'landmarks'"),
        ({"extra": 1}, "extra"),
        ({"landmarks": [0, 50]}, "same length"),
        ({"landmarks": [0, 60, 40]}, "must rise"),
        ({"percentiles": [0, 50, 120]}, "within 0 to 100"),
        ({"foreground": "brain"}, "'brain'"),
    ],
)
def test_a_text_of_another_form_is_refused_with_the_place(change, problem):
    plain = json.loads(learned(RAMP).to_json()) | change
    with pytest.raises(InputError, match=problem):
        NyulLandmarks.from_json(json.dumps(plain))


def test_what_is_missing_is_named_and_what_is_no_json_is_refused():
    plain = json.loads(learned(RAMP).to_json())
    del plain["landmarks"]
    with pytest.raises(InputError, match="'landmarks' is a required property"):
        NyulLandmarks.from_json(json.dumps(plain))
    with pytest.raises(InputError, match="not a JSON text"):
        NyulLandmarks.from_json("landmarks: 1")
    with pytest.raises(InputError, match="right form"):
        NyulLandmarks.from_json("[]")


def test_landmarks_that_coincide_stay_in_order():
    few = np.repeat([0.0, 1.0], [60, 41]).reshape(1, 1, 101)
    found = train_landmarks([mr_of(few)], percentiles=(0, 30, 50, 100), foreground="all")
    assert all(np.diff(found.values) > 0)


def test_no_scan_and_a_scan_without_spread_are_refused():
    with pytest.raises(InputError, match="no scan"):
        train_landmarks([])
    flat = np.ones((1, 1, 101))
    flat[0, 0, 0] = 2
    with pytest.raises(InputError, match="same value, 1"):
        train_landmarks([mr_of(flat)], foreground="all")
    with pytest.raises(InputError, match="not numbers"):
        train_landmarks([mr_of(np.where(RAMP == 3, np.nan, RAMP))], foreground="all")
