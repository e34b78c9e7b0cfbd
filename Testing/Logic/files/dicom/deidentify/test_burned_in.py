"""Signs of writing in a picture, and of a face in a scan."""

from __future__ import annotations

import pydicom
import pytest

from MedSegAI.Logic.files.dicom.deidentify.burned_in import burned_in_sign, shows_a_face


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


def test_only_scans_of_a_head_show_a_face():
    assert shows_a_face(picture(BodyPartExamined="HEAD NECK"))
    assert not shows_a_face(picture(BodyPartExamined="CHEST"))
    assert not shows_a_face(picture(BodyPartExamined="HEAD", Modality="DX"))
    assert not shows_a_face(pydicom.Dataset())
