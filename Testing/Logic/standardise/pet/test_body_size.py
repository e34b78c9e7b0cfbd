"""Weight, lean body mass and body surface by the formulae that SUV is reported with."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.pet.body_size import BodySize, size_of

from .headers import easy


@pytest.mark.parametrize(
    ("size", "sex", "expected"),
    [
        (BodySize.WEIGHT, "", 70000.0),
        # A mass index of 70 / 1.75^2 = 22.857142...
        (BodySize.LEAN_JANMAHASATIAN, "M", 1000 * 9270 * 70 / (6680 + 216 * 22.857142857142858)),
        (BodySize.LEAN_JANMAHASATIAN, "F", 1000 * 9270 * 70 / (8780 + 244 * 22.857142857142858)),
        # (70 / 175)^2 = 0.16
        (BodySize.LEAN_JAMES, "M", 1000 * (77.0 - 128 * 0.16)),
        (BodySize.LEAN_JAMES, "f", 1000 * (74.9 - 148 * 0.16)),
        (BodySize.LEAN_MORGAN, "M", 1000 * (77.0 - 120 * 0.16)),
        # 70^0.425 and 175^0.725
        (BodySize.SURFACE, "", 71.84 * 6.08368426972812 * 42.28658224382731),
    ],
)
def test_a_person_of_70_kg_and_175_cm(size, sex, expected):
    assert size_of(easy(PatientSex=sex), size) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("size", "changes", "sentence"),
    [
        (BodySize.WEIGHT, {"PatientWeight": 0}, r"no Patient's Weight \(0010,1030\)"),
        (BodySize.WEIGHT, {"PatientWeight": 70000}, "70000 kg, which nobody weighs"),
        (BodySize.SURFACE, {"PatientSize": None}, r"no Patient's Size \(0010,1020\)"),
        (BodySize.SURFACE, {"PatientSize": 175}, "175 m, which nobody is tall"),
        (BodySize.LEAN_JAMES, {"PatientSex": ""}, r"no Patient's Sex \(0010,0040\)"),
        (BodySize.LEAN_JANMAHASATIAN, {"PatientSex": "O"}, r"Patient's Sex \(0010,0040\) is 'O'"),
        (BodySize.LEAN_JAMES, {"PatientWeight": 300, "PatientSize": 1.5, "PatientSex": "F"}, "gives no lean body mass"),
    ],
)
def test_what_is_missing_or_nobodys_is_refused(size, changes, sentence):
    with pytest.raises(InputError, match=sentence):
        size_of(easy(**changes), size)
