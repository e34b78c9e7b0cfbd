"""Signs of writing in a picture, and of a face in a scan."""

from __future__ import annotations

import pydicom
import pytest

from MedSegAI.Logic.files.dicom.deidentify.burned_in import burned_in_sign, may_show_a_face


def picture(**attributes):
    dataset = pydicom.Dataset()
    dataset.Rows, dataset.SOPClassUID, dataset.Modality = 8, "1.2.840.10008.5.1.4.1.1.2", "CT"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.mark.parametrize(
    ("attributes", "sign"),
    [
        ({"BurnedInAnnotation": "YES"}, "says so itself"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.4"}, "secondary capture"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "picture of a screen"),
        ({"Modality": "US"}, "ultrasound"),
        ({"Modality": "XC", "BurnedInAnnotation": ""}, "photograph"),
    ],
)
def test_a_sign_is_named(attributes, sign):
    assert sign in burned_in_sign(picture(**attributes))


def test_a_plain_scan_and_what_says_no_show_none():
    assert burned_in_sign(picture()) == ""
    assert burned_in_sign(picture(Modality="US", BurnedInAnnotation="NO")) == ""
    assert burned_in_sign(pydicom.Dataset()) == ""


def test_a_photograph_is_not_called_a_secondary_capture():
    assert burned_in_sign(picture(SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.4", Modality="XC")) == "it is a photograph"


def test_scans_of_a_head_and_those_that_do_not_say_what_they_show_may_show_a_face():
    for part in ("HEAD NECK", "HEADNECK", "Brain", "HEAD_AND_NECK", "WHOLE BODY", ""):
        assert may_show_a_face(picture(BodyPartExamined=part))
    assert may_show_a_face(picture())
    assert not may_show_a_face(picture(BodyPartExamined="HEART"))
    assert not may_show_a_face(picture(BodyPartExamined="HEAD", RecognizableVisualFeatures="NO"))
    assert not may_show_a_face(picture(BodyPartExamined="CHEST"))
    assert not may_show_a_face(picture(BodyPartExamined="HEAD", Modality="DX"))
    assert not may_show_a_face(pydicom.Dataset())
