"""Which times a PET image's values refer to, and what is left of the dose by then. All answers are worked by hand."""

from __future__ import annotations

import math

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.pet.decay import average_count_rate_seconds, decayed_doses

from .headers import easy

HOUR = 3600.0


def seconds(*images):
    return [decayed.seconds for decayed in decayed_doses(images)]


def test_after_one_half_life_half_of_the_dose_is_left():
    (decayed,) = decayed_doses([easy()])
    assert decayed.dose_bq == pytest.approx(175e6, rel=1e-12)
    assert (decayed.seconds, decayed.reference) == (HOUR, "scan start by Series Time (0008,0031)")


def test_the_series_time_holds_for_all_beds_acquired_from_then_on():
    beds = [easy(AcquisitionTime=f"11{minute:02d}00") for minute in (0, 2, 4)]
    assert seconds(*beds) == [HOUR] * 3


def test_a_later_series_time_gives_way_to_the_private_time_of_ge():
    late = {"SeriesTime": "150000", "GEScanDateTime": "20260301110500.00", "FrameReferenceTime": 60000.0}
    (decayed,) = decayed_doses([easy(**late)])
    assert decayed.seconds == HOUR + 300
    assert "(0009,100D), since Series Time (0008,0031) is later" in decayed.reference


def test_without_it_the_start_is_counted_back_from_each_frames_own_reference_time():
    """Two beds of 120 s begin 0 and 130 s after the start; the reference times are those of their averages."""
    average = 1000 * average_count_rate_seconds(HOUR, 120.0)
    beds = [
        easy(SeriesTime="150000", AcquisitionTime="110000", FrameReferenceTime=average),
        easy(SeriesTime="150000", AcquisitionTime="110210", FrameReferenceTime=130e3 + average),
    ]
    assert seconds(*beds) == pytest.approx([HOUR, HOUR], abs=1e-5)


def test_two_injections_in_one_series_keep_the_start_of_each_frame():
    average = 1000 * average_count_rate_seconds(HOUR, 120.0)
    beds = [
        easy(SeriesTime="150000", AcquisitionTime="110000", FrameReferenceTime=average),
        easy(SeriesTime="150000", AcquisitionTime="120000", FrameReferenceTime=average),
    ]
    assert seconds(*beds) == pytest.approx([HOUR, 2 * HOUR], abs=1e-5)


def test_without_reference_times_the_earliest_acquisition_is_the_start_and_the_sentence_says_so():
    beds = [easy(SeriesTime="150000", AcquisitionTime=time) for time in ("110400", "110000")]
    decayed = decayed_doses(beds)
    assert [one.seconds for one in decayed] == [HOUR, HOUR]
    assert "earliest Acquisition Time (0008,0032)" in decayed[0].reference
    assert "Frame Reference Time (0054,1300) is missing" in decayed[0].reference


def test_enhanced_pet_names_the_moment_itself():
    assert seconds(easy(DecayCorrectionDateTime="20260301103000", SeriesTime=None)) == [HOUR / 2]


def test_values_corrected_to_the_injection_need_no_times():
    bare = easy(DecayCorrection="ADMIN", SeriesTime=None, AcquisitionTime=None, RadiopharmaceuticalStartTime=None)
    (decayed,) = decayed_doses([bare])
    assert (decayed.dose_bq, decayed.seconds) == (350e6, 0.0)


def test_uncorrected_values_refer_to_the_average_of_their_own_frame():
    raw = {"DecayCorrection": "NONE", "CorrectedImage": ["ATTN"], "SeriesTime": "000000"}
    beds = [easy(**raw, AcquisitionTime="110000"), easy(**raw, AcquisitionTime="120000")]
    average = average_count_rate_seconds(HOUR, 120.0)
    assert seconds(*beds) == pytest.approx([HOUR + average, 2 * HOUR + average], abs=1e-5)


@pytest.mark.parametrize("duration", [1e-3, 1.0, 120.0, HOUR])
def test_the_average_count_rate_is_that_of_the_integral_over_the_frame(duration):
    decay = math.log(2) / HOUR
    at = average_count_rate_seconds(HOUR, duration)
    average = -math.expm1(-decay * duration) / (decay * duration)
    assert math.exp(-decay * at) == pytest.approx(average, rel=1e-12)
    assert 0 < at < duration / 2


def test_an_injection_before_midnight_is_of_the_day_before():
    assert seconds(
        easy(SeriesDate="20260302", SeriesTime="001000", AcquisitionDate="20260302", AcquisitionTime="001000",
             RadiopharmaceuticalStartTime="235000")
    ) == [1200]  # fmt: skip


def test_a_dynamic_scan_may_begin_before_its_injection():
    (decayed,) = decayed_doses([easy(RadiopharmaceuticalStartTime="110036")])
    assert decayed.seconds == -36
    assert decayed.dose_bq == pytest.approx(350e6 * 2**0.01)


def test_the_date_time_of_the_injection_goes_before_its_time():
    assert seconds(easy(RadiopharmaceuticalStartDateTime="20260301103000")) == [HOUR / 2]
    assert seconds(easy(RadiopharmaceuticalStartDateTime="20260301103000", RadiopharmaceuticalStartTime=None)) == [1800]


def test_a_date_that_was_shifted_apart_from_the_scans_is_left_out_and_said():
    (decayed,) = decayed_doses([easy(RadiopharmaceuticalStartDateTime="19600614100000")])
    assert decayed.seconds == HOUR
    assert "does not fit the scan's and was left out" in decayed.reference


def test_slow_tracers_may_be_scanned_days_later_where_the_day_is_known():
    slow = {"RadionuclideHalfLife": 78.4 * HOUR}
    assert seconds(easy(**slow, RadiopharmaceuticalStartDateTime="20260226110000")) == [72 * HOUR]
    with pytest.raises(InputError, match=r"half-life of 78\.4 h the day of the injection must be known"):
        decayed_doses([easy(**slow)])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"RadionuclideTotalDose": None}, r"no Radionuclide Total Dose \(0018,1074\)"),
        ({"RadionuclideTotalDose": 350}, "350 Bq, too little for any scan"),
        ({"RadionuclideHalfLife": 0}, r"no Radionuclide Half Life \(0018,1075\)"),
        ({"DecayCorrection": None}, r"no Decay Correction \(0054,1102\)"),
        ({"DecayCorrection": "SOME"}, r"Decay Correction \(0054,1102\) is 'SOME'"),
        ({"CorrectedImage": ["ATTN"]}, "contradicts itself: .* does not list the decay correction DECY"),
        ({"DecayCorrection": "NONE"}, "contradicts itself: .* lists the decay correction DECY"),
        ({"SeriesDate": None}, r"no Series Date \(0008,0021\)"),
        ({"SeriesTime": ""}, r"no Series Time \(0008,0031\)"),
        ({"AcquisitionTime": None}, r"no Acquisition Time \(0008,0032\)"),
        ({"RadiopharmaceuticalStartTime": None}, r"no .*\(0018,1078\), nor .*\(0018,1072\)"),
        ({"RadiopharmaceuticalStartTime": "9 am"}, r"Start Time \(0018,1072\) is '9 am'"),
        ({"RadiopharmaceuticalStartTime": "111500"}, "23.8 h after the injection, 23.8 half-lives"),
        (
            {"RadiopharmaceuticalStartTime": None, "RadiopharmaceuticalStartDateTime": "20260301120000"},
            "-1.0 h after the injection",
        ),
        (
            {"DecayCorrection": "NONE", "CorrectedImage": ["ATTN"], "ActualFrameDuration": None},
            r"no Actual Frame Duration \(0018,1242\)",
        ),
    ],
)
def test_what_is_missing_or_contradicts_is_refused_by_name(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        decayed_doses([easy(**changes)])


def test_images_that_were_corrected_differently_are_refused():
    with pytest.raises(InputError, match=r"differ in their Decay Correction \(0054,1102\): ADMIN, START"):
        decayed_doses([easy(), easy(DecayCorrection="ADMIN")])
