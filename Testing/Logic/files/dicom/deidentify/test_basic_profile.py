"""The table of PS3.15 as data."""

from __future__ import annotations

import pytest
from pydicom.datadict import tag_for_keyword

from MedSegAI.Logic.files.dicom.deidentify.basic_profile import Action, action_of, basic_profile


@pytest.mark.parametrize(
    ("keyword", "action"),
    [
        ("PatientName", Action.EMPTY),
        ("PatientBirthDate", Action.EMPTY),
        ("StudyInstanceUID", Action.NEW_UID),
        ("ReferencedSOPInstanceUID", Action.NEW_UID),
        ("SeriesDescription", Action.REMOVE),
        ("InstitutionName", Action.ANY),
        ("SeriesDate", Action.DUMMY_OR_REMOVE),
        ("ContentDate", Action.DUMMY_OR_EMPTY),
        ("ReferencedImageSequence", Action.REFERENCES),
        ("PixelSpacing", None),
        ("Rows", None),
    ],
)
def test_an_attribute_has_the_action_of_the_standard(keyword, action):
    assert action_of(tag_for_keyword(keyword)) is action


def test_it_has_more_than_600_attributes_and_no_pixel_or_place_is_among_them():
    table = basic_profile()
    assert len(table) > 600
    for keyword in ("PixelData", "ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "SOPClassUID"):
        assert tag_for_keyword(keyword) not in table


def test_overlays_and_curves_go_in_every_repeating_group():
    for tag in (0x60003000, 0x60023000, 0x60FE4000, 0x50000010, 0x501E3000):
        assert action_of(tag) is Action.REMOVE
    assert action_of(0x60FF0010 - 0xFF0000 + 0x1000000) is None
