"""Scans go into one model together only where something says that they lie in one space."""

from __future__ import annotations

import re

import numpy as np
import pytest

from MedSegAI.Logic.align.alignment import Alignment, AlignmentQuality, Verdict
from MedSegAI.Logic.align.check import Fit, check_space, check_spaces, refuse_other_patient
from MedSegAI.Logic.align.judge import IDENTITY
from MedSegAI.Logic.align.move import as_it_lies, moved
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import PATIENT_KEY, Volume


def a_scan(name: str, *, at: float = 0.0, mm: float = 1.0, frame: str = "", patient: str = "") -> Volume:
    grid = Grid((20, 20, 20), (mm, mm, mm), (at, 0.0, 0.0))
    acquisition = {PATIENT_KEY: patient} if patient else {}
    return Volume(np.zeros(grid.shape), grid, name=name, frame_of_reference=frame, acquisition=acquisition)


def an_alignment(moving: Volume, reference: Volume) -> Alignment:
    quality = AlignmentQuality(1.1, 1.3, 0.9, 0.95, 4.0, 0.5, Verdict.GOOD)
    return Alignment(IDENTITY, quality, moving.name, reference.name)


T1 = a_scan("T1")


@pytest.mark.parametrize(
    ("scan", "reference", "fit", "sentence"),
    [
        (a_scan("T2"), T1, Fit.FIT, "share one grid"),
        (a_scan("T2", at=2.0), T1, Fit.NEEDS_REGISTRATION, "Nothing says that 'T2' and 'T1' lie in one space"),
        (a_scan("T2", at=2.0, frame="1.2"), T1, Fit.NEEDS_REGISTRATION, "Nothing says"),
        (a_scan("T2", at=2.0, frame="1.2"), a_scan("T1", frame="1.2"), Fit.FIT, "share one frame of reference"),
        (a_scan("T2", at=2.0, frame="1.2"), a_scan("T1", frame="1.3"), Fit.NEEDS_REGISTRATION, "have different frames"),
        (a_scan("T2", at=18.0, frame="1.2"), a_scan("T1", frame="1.2"), Fit.REFUSED, "Only .* overlap, though 'T2'"),
        (a_scan("T2", patient="a"), a_scan("T1", patient="b"), Fit.REFUSED, "are of different patients"),
        (a_scan("T2", patient="a"), a_scan("T1", patient="a"), Fit.FIT, "share one grid"),
        (as_it_lies(a_scan("T2", at=2.0), reference=T1), T1, Fit.FIT, "without registration"),
        (moved(a_scan("T2", at=2.0), an_alignment(a_scan("T2"), T1), reference=T1), T1, Fit.FIT, "was aligned to 'T1'"),
    ],
)
def test_what_two_scans_say_of_themselves_decides(scan: Volume, reference: Volume, fit: Fit, sentence: str):
    found = check_space(scan, reference)
    assert found.fit is fit
    assert bool(found.advice) is (fit is not Fit.FIT)
    assert re.search(sentence, found.sentence)
    assert check_space(reference, scan).fit is fit


def test_only_scans_that_say_of_themselves_that_they_are_of_two_patients_are_refused_before_any_work():
    for patient in ("a", ""):
        refuse_other_patient(a_scan("T2", patient="a"), a_scan("T1", at=90.0, patient=patient))
    with pytest.raises(InputError, match="'T2' and 'T1' are of different patients"):
        refuse_other_patient(a_scan("T2", patient="a"), a_scan("T1", patient="b"))


def test_two_scans_that_were_brought_to_a_third_fit_each_other():
    others = [as_it_lies(a_scan(name, at=2.0, mm=mm), reference=T1) for name, mm in (("T2", 1.0), ("FLAIR", 1.1))]
    assert "both brought to 'T1'" in check_space(*others).sentence
    assert check_space(*others).fit is Fit.FIT


def test_what_was_said_before_a_scan_was_last_moved_says_nothing_of_where_it_lies_now():
    t2, other = a_scan("T2", at=3.0), a_scan("other", at=5.0)
    on_t1 = moved(a_scan("FLAIR", at=2.0), an_alignment(a_scan("FLAIR"), T1), reference=T1)
    assert check_space(on_t1, as_it_lies(t2, reference=T1)).fit is Fit.FIT
    elsewhere = moved(on_t1, an_alignment(on_t1, other), reference=other)
    assert check_space(elsewhere, other).fit is Fit.FIT
    assert check_space(elsewhere, T1).fit is Fit.NEEDS_REGISTRATION
    assert check_space(elsewhere, as_it_lies(t2, reference=T1)).fit is Fit.NEEDS_REGISTRATION


def test_two_patients_are_told_apart_also_beside_a_reference_that_does_not_say_whose_it_is():
    scans = [a_scan(name, patient=patient) for name, patient in (("T2", "a"), ("FLAIR", "b"))]
    assert [found.fit for found in check_spaces((T1, *scans), T1)] == [Fit.FIT, Fit.REFUSED, Fit.REFUSED]
    assert "'FLAIR' and 'T2' are of different patients" in check_spaces(scans, T1)[1].sentence


def test_a_third_scan_can_tie_two_together_that_say_nothing_of_each_other():
    flair = as_it_lies(a_scan("FLAIR", at=2.0), reference=T1)
    t2 = a_scan("T2")
    assert check_space(t2, flair).fit is Fit.NEEDS_REGISTRATION
    assert [found.fit for found in check_spaces((t2, T1, flair), flair)] == [Fit.FIT] * 3
    assert [found.fit for found in check_spaces((t2, flair), flair)] == [Fit.NEEDS_REGISTRATION, Fit.FIT]


def test_the_overlap_is_of_the_smaller_scan_however_it_is_turned():
    turned = Grid((10, 10, 10), direction=(0.6, -0.8, 0, 0.8, 0.6, 0, 0, 0, 1), origin=(8.5, 2.5, 5.0))
    small = Volume(np.zeros(turned.shape), turned, name="crop")
    assert check_space(small, T1).overlap == check_space(T1, small).overlap == 1.0
    assert check_space(a_scan("T2", at=10.0), T1).overlap == pytest.approx(0.5, abs=0.03)
