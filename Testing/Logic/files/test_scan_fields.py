"""An NRRD file keeps kind, unit and every step of a scan; other files, and files of others, lose nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.scan_fields import STEPS_FIELD, scan_fields, with_scan_fields
from MedSegAI.Logic.files.write import write_volume
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

STEPS = (
    StepRecord("ct-offset", 'Shifted by +3.2 HU: "air" was\\is at\nÄ µ.', {"tissues": ["air"]}, {"air_hu": -1003.25}),
    StepRecord("suv", "SUVbw.", {"by": "bw", "lean_formula": None}, {"factor": 0.00042748316187197236}),
)


def a_scan(**changes):
    array = np.arange(60, dtype=np.float32).reshape(3, 4, 5) - 7
    given = {"modality": Modality.PET, "unit": Unit.SUV_BODY_WEIGHT, "steps": STEPS, **changes}
    return Volume(array, Grid((3, 4, 5), (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)), **given)


def test_the_way_through_an_nrrd_file_loses_nothing(tmp_path):
    write_volume(tmp_path / "scan.nrrd", a_scan())
    back = read_volume(tmp_path / "scan.nrrd")
    assert (back.modality, back.unit, back.steps) == (Modality.PET, Unit.SUV_BODY_WEIGHT, STEPS)


def test_what_a_header_said_of_the_acquisition_does_not_leave_with_the_file():
    assert not any(
        "20260301" in value for value in scan_fields(a_scan(acquisition={"SeriesDate": "20260301"})).values()
    )


@pytest.mark.parametrize("ending", [".nii.gz", ".mha"])
def test_files_without_a_place_for_it_are_read_as_before(tmp_path, ending):
    write_volume(tmp_path / f"scan{ending}", a_scan())
    back = read_volume(tmp_path / f"scan{ending}")
    assert (back.modality, back.unit, back.steps) == (Modality.UNKNOWN, Unit.ARBITRARY, ())


def test_nothing_is_said_of_a_scan_of_which_nothing_is_known():
    assert scan_fields(a_scan(modality=Modality.UNKNOWN, unit=Unit.ARBITRARY, steps=())) == {}


def test_a_ct_that_was_changed_is_not_taken_for_hounsfield_units(tmp_path):
    write_volume(tmp_path / "raw.nrrd", a_scan(modality=Modality.CT, unit=Unit.ARBITRARY, steps=()))
    write_volume(tmp_path / "changed.nrrd", a_scan(modality=Modality.CT, unit=Unit.ARBITRARY))
    assert read_volume(tmp_path / "raw.nrrd").unit is Unit.ARBITRARY
    assert read_volume(tmp_path / "raw.nrrd", modality=Modality.CT).unit is Unit.HOUNSFIELD
    assert read_volume(tmp_path / "changed.nrrd", modality=Modality.CT).unit is Unit.ARBITRARY


def test_an_asked_for_modality_wins_over_the_field(tmp_path):
    write_volume(tmp_path / "scan.nrrd", a_scan())
    assert read_volume(tmp_path / "scan.nrrd", modality=Modality.MR).modality is Modality.MR


@pytest.mark.parametrize("text", ["not json", "[1]", '[{"step": "suv"}]', "3"])
def test_a_field_that_somebody_spoiled_is_passed_over(tmp_path, text):
    image = a_scan().to_sitk()
    image.SetMetaData(STEPS_FIELD, text)
    image.SetMetaData("MedSegAI_Unit", "furlong")
    sitk.WriteImage(image, str(tmp_path / "scan.nrrd"))
    back = read_volume(tmp_path / "scan.nrrd")
    assert (back.unit, back.steps) == (Unit.ARBITRARY, ())
    assert with_scan_fields(a_scan(), {STEPS_FIELD: text}).steps == STEPS
