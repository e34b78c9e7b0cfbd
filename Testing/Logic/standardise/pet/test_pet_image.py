"""A header is asked by tag; what it lacks is refused by name."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.pet.pet_image import PetImage, images_of, missing

from .headers import easy


def test_numbers_are_taken_where_they_are_above_zero():
    assert easy(PatientWeight="70.5 ").needed("PatientWeight") == 70.5
    for value in (None, 0, "", "unknown", float("nan")):
        assert easy(PatientWeight=value).number("PatientWeight") is None


def test_a_missing_number_is_named_and_an_unusable_one_shown():
    with pytest.raises(InputError, match=r"has no Patient's Weight \(0010,1030\)"):
        easy(PatientWeight=None).needed("PatientWeight")
    with pytest.raises(InputError, match=r"Patient's Weight \(0010,1030\) is 'heavy'"):
        easy(PatientWeight="heavy").needed("PatientWeight")
    assert (
        "no Patient's Weight (0010,1030), nor Patient's Size (0010,1020)."
        in missing("PatientWeight", "PatientSize").problem
    )


def test_the_acquisition_has_a_date_and_a_time_or_both_in_one_tag():
    in_one = easy(AcquisitionDate=None, AcquisitionTime=None, AcquisitionDateTime="20260301110000")
    assert in_one.acquired == easy().acquired
    with pytest.raises(InputError, match=r"no Acquisition Date \(0008,0022\)"):
        easy(AcquisitionDate=None).acquired.isoformat()
    with pytest.raises(InputError, match=r"Acquisition Time \(0008,0032\) is '20260301 99'"):
        easy(AcquisitionTime="99").acquired.isoformat()
    with pytest.raises(InputError, match=r"\(0009,100D\) is 'noon'"):
        easy(GEScanDateTime="noon").moment("GEScanDateTime")


def test_images_share_what_stands_beside_their_list():
    shared = {"Units": "BQML", "normal": [0, 0, 1], "images": [{"AcquisitionTime": "11"}, {"Units": "CNTS"}]}
    assert [image.values for image in images_of(shared)] == [
        {"Units": "BQML", "AcquisitionTime": "11"},
        {"Units": "CNTS"},
    ]
    assert images_of({"Units": "BQML"}) == (PetImage({"Units": "BQML"}),)
