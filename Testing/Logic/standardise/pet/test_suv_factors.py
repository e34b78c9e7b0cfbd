"""Every unit that PET images are stored in has its own way to SUV. All answers are worked by hand."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.pet.body_size import BodySize, size_of
from MedSegAI.Logic.standardise.pet.suv_factors import stored_unit, suv_factors
from MedSegAI.Logic.volume import Unit

from .headers import EASY_FACTOR, easy

PHILIPS = {"Units": "CNTS", "PhilipsSUVScaleFactor": 0.0007, "PhilipsActivityScaleFactor": 4.5}
JAMES = 1000 * (77.0 - 128 * 0.16)


def factor(image, size=BodySize.WEIGHT):
    (one,) = suv_factors([image], size).factors
    return one


def test_activity_is_related_to_the_decayed_dose_for_each_unit_of_body_size():
    assert factor(easy()) == pytest.approx(EASY_FACTOR, rel=1e-12)
    assert factor(easy(), BodySize.LEAN_JAMES) == pytest.approx(JAMES / 175e6, rel=1e-12)
    assert factor(easy(), BodySize.SURFACE) == pytest.approx(size_of(easy(), BodySize.SURFACE) / 175e6, rel=1e-12)


def test_values_corrected_to_the_injection_are_related_to_the_whole_dose():
    assert factor(easy(DecayCorrection="ADMIN")) == pytest.approx(70e3 / 350e6, rel=1e-12)


def test_philips_counts_become_suv_by_the_private_factor_and_need_neither_dose_nor_weight():
    bare = easy(**PHILIPS, PatientWeight=None, RadionuclideTotalDose=None, SeriesTime=None)
    assert factor(bare) == 0.0007
    assert factor(easy(**PHILIPS), BodySize.LEAN_JAMES) == pytest.approx(0.0007 * JAMES / 70e3, rel=1e-12)


@pytest.mark.parametrize("absent", [None, 0])
def test_without_it_the_private_factor_to_activity_is_used_and_then_the_dose(absent):
    counts = easy(**{**PHILIPS, "PhilipsSUVScaleFactor": absent})
    assert factor(counts) == pytest.approx(4.5 * EASY_FACTOR, rel=1e-12)


def test_stored_suv_stays_or_is_brought_to_another_size_of_the_body():
    assert factor(easy(Units="GML", PatientWeight=None, CorrectedImage=None)) == 1.0
    assert factor(easy(Units="GML", SUVType="LBMJAMES128")) == pytest.approx(70e3 / JAMES, rel=1e-12)
    surface = size_of(easy(), BodySize.SURFACE)
    assert factor(easy(Units="CM2ML")) == pytest.approx(70e3 / surface, rel=1e-12)
    assert factor(easy(Units="CM2ML", SUVType="BSA"), BodySize.SURFACE) == 1.0


def test_the_way_is_said_with_its_figures():
    found = suv_factors([easy()], BodySize.LEAN_JAMES)
    assert found.how == (
        "from Bq/mL, lean body mass by James (1976) and the dose of 350.0 MBq decayed for 3600 s "
        "(scan start by Series Time (0008,0031))"
    )
    assert found.figures == pytest.approx(
        {"dose_bq": 350e6, "decayed_dose_bq": 175e6, "decay_s": 3600, "weight_kg": 70, "lean_body_mass_kg": JAMES / 1e3}
    )
    brought = suv_factors([easy(Units="GML")], BodySize.SURFACE)
    assert brought.how.endswith("by body weight, brought to body surface by Du Bois and Du Bois (1916)")
    assert set(brought.figures) == {"weight_kg", "body_surface_cm2"}


@pytest.mark.parametrize(
    ("changes", "unit"),
    [
        ({}, Unit.ACTIVITY),
        ({"Units": "CNTS"}, Unit.COUNTS),
        ({"Units": "GML"}, Unit.SUV_BODY_WEIGHT),
        ({"Units": "GML", "SUVType": "LBMJANMA"}, Unit.SUV_LEAN_BODY_MASS),
        ({"Units": "GML", "SUVType": "IBW"}, Unit.ARBITRARY),
        ({"Units": "CM2ML"}, Unit.SUV_BODY_SURFACE),
        ({"Units": "PROPCPS"}, Unit.ARBITRARY),
        ({"Units": None}, Unit.ARBITRARY),
    ],
)
def test_the_unit_as_stored(changes, unit):
    assert stored_unit(easy(**changes)) is unit


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"Units": None}, r"no Units \(0054,1001\)"),
        ({"Units": "PROPCPS"}, r"whose Units \(0054,1001\) is 'PROPCPS'"),
        ({"Units": "CNTS"}, r"no Philips' .*\(7053,1000\), nor Philips' .*\(7053,1009\)"),
        ({"Units": "GML", "SUVType": "IBW"}, r"SUV Type \(0054,1006\) is 'IBW'"),
        ({"Units": "GML", "SUVType": "BSA"}, "contradicts itself"),
        ({"CorrectedImage": None}, r"no Corrected Image \(0028,0051\)"),
        ({"CorrectedImage": ["DECY"]}, "not corrected for attenuation"),
    ],
)
def test_what_is_missing_or_means_nothing_is_refused_by_name(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        factor(easy(**changes))


def test_images_of_different_units_are_refused():
    with pytest.raises(InputError, match="differ in their Units"):
        suv_factors([easy(), easy(Units="CNTS")], BodySize.WEIGHT)
    with pytest.raises(InputError, match="differ in their SUV Type"):
        suv_factors([easy(Units="GML"), easy(Units="GML", SUVType="LBMJANMA")], BodySize.WEIGHT)
