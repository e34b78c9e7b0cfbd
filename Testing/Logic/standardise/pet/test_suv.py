"""The step ``suv``: a PET scan in standardised uptake values, with its record, its undo and its refusals."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.catalogue import step_from_plain, step_from_text
from MedSegAI.Logic.standardise.pet.suv import Suv
from MedSegAI.Logic.standardise.resample import resample
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

from .headers import EASY, EASY_FACTOR

GRID = Grid((4, 3, 2), (4.0, 4.0, 5.0), (10.0, -20.0, 30.0))
SLICES = {
    **EASY,
    "DecayCorrection": "ADMIN",
    "normal": [0.0, 0.0, 1.0],
    "images": [{"position": [10, -20, 30 + 5 * k], "RadionuclideTotalDose": 70e6 * 2**k} for k in range(4)],
}
"""Slices whose doses, and so their factors (0.001, 0.0005, ...), differ: no scanner's, but easy to follow."""


def a_pet(acquisition=EASY, **changes):
    array = np.arange(24, dtype=np.int16).reshape(GRID.shape) * 1000
    return replace(Volume(array, GRID, Modality.PET, Unit.ACTIVITY, "pet", acquisition=acquisition), **changes)


def apply(volume, **settings):
    return Suv(**settings).apply(volume, reporter=SilentReporter())


@pytest.mark.parametrize(
    ("by", "unit"), [("bw", Unit.SUV_BODY_WEIGHT), ("lbm", Unit.SUV_LEAN_BODY_MASS), ("bsa", Unit.SUV_BODY_SURFACE)]
)
def test_the_scan_has_the_unit_the_record_and_a_way_back(by, unit):
    scan = a_pet()
    done = apply(scan, by=by)
    assert (done.volume.unit, done.volume.array.dtype) == (unit, np.float32)
    np.testing.assert_allclose(done.volume.array, scan.array * done.record.figures["factor"], rtol=1e-6)
    assert done.record.settings == {"by": by, "lean_formula": "janmahasatian"}
    assert done.record.sentence.startswith(f"{unit.value} by a factor of ")
    np.testing.assert_array_equal(np.rint(done.undo(done.volume.array)), scan.array)
    assert scan.array.dtype == np.int16 and scan.steps == ()


def test_the_factor_by_body_weight():
    assert apply(a_pet()).record.figures["factor"] == pytest.approx(EASY_FACTOR, rel=1e-12)


def test_the_record_is_plain():
    record = apply(a_pet()).record
    assert StepRecord.from_plain(json.loads(json.dumps(record.to_plain()))) == record


def test_each_slice_has_its_own_factor_where_they_differ():
    done = apply(a_pet(SLICES))
    for k in range(4):
        np.testing.assert_allclose(done.volume.array[k], a_pet().array[k] * 0.001 / 2**k, rtol=1e-6)
        assert done.record.figures[f"factor_of_plane_{k}"] == pytest.approx(0.001 / 2**k)
    assert "0.000125 to 0.001, by slice" in done.record.sentence
    np.testing.assert_array_equal(np.rint(done.undo(done.volume.array)), a_pet().array)


def test_a_cropped_or_flipped_scan_keeps_each_slices_own_factor():
    whole = apply(a_pet(SLICES)).volume.array
    box = Box((1, 0, 0), (3, 3, 2))
    np.testing.assert_array_equal(apply(a_pet(SLICES).crop(box)).volume.array, whole[1:3])
    flipped = resample(a_pet(SLICES), Grid(GRID.shape, GRID.spacing, (10.0, -20.0, 45.0), (1, 0, 0, 0, 1, 0, 0, 0, -1)))
    np.testing.assert_array_equal(apply(flipped).volume.array, whole[::-1])


@pytest.mark.parametrize(
    "grid",
    [
        Grid((4, 3, 2), (4.0, 4.0, 5.0), (10.0, -20.0, 32.0)),
        Grid((4, 3, 2), (4.0, 4.0, 5.0), (10.0, -20.0, 30.0), (1, 0, 0, 0, 0, 1, 0, -1, 0)),
    ],
)
def test_planes_that_are_no_longer_slices_are_refused_where_the_slices_differ(grid):
    with pytest.raises(InputError, match="no longer those slices"):
        apply(a_pet(SLICES, grid=grid))
    assert apply(a_pet(grid=grid)).record.figures["factor"] > 0


def test_times_that_were_rounded_are_not_another_factor():
    images = [{"RadionuclideTotalDose": 350e6}, {"RadionuclideTotalDose": 350e6 + 1}]
    assert "factor" in apply(a_pet({**EASY, "images": images})).record.figures


@pytest.mark.parametrize(
    ("scan", "sentence"),
    [
        (a_pet(modality=Modality.CT), "is a CT scan, .* meant for a PET scan"),
        (a_pet(acquisition={}), "comes without its DICOM header"),
        (a_pet(unit=Unit.ARBITRARY), "not in Bq/mL any more"),
        (a_pet(steps=(StepRecord("suv", "SUVbw."),)), "in SUV already"),
        (a_pet({**EASY, "PatientWeight": 0}), r"no Patient's Weight \(0010,1030\)"),
        (a_pet({**EASY, "Units": ""}), r"no Units \(0054,1001\)"),
    ],
)
def test_what_has_no_suv_is_refused(scan, sentence):
    with pytest.raises(InputError, match=sentence):
        apply(scan)


def test_a_cancel_is_heard():
    class Impatient(SilentReporter):
        def cancelled(self):
            return True

    with pytest.raises(Cancelled):
        Suv().apply(a_pet(), reporter=Impatient())


def test_the_step_by_name():
    assert step_from_text("suv:by=lbm,lean-formula=james") == Suv("lbm", "james")
    assert step_from_plain("suv", Suv("bsa").to_plain()) == Suv("bsa")
    for settings in ({"by": "ibw"}, {"lean_formula": "boer"}):
        with pytest.raises(InputError, match="is one of"):
            step_from_plain("suv", settings)
