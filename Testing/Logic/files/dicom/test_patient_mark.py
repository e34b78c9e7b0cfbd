"""Scans of one patient carry one mark, and nobody reads a name from it."""

from __future__ import annotations

from MedSegAI.Logic.files.dicom.patient_mark import patient_mark
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.volume import PATIENT_KEY


def test_one_patient_has_one_mark_that_does_not_hold_the_id():
    mine, again, other = (patient_mark({"PatientID": known}) for known in ("TCGA-1", " TCGA-1 ", "TCGA-2"))
    assert mine == again != other
    assert "TCGA" not in mine[PATIENT_KEY]
    assert patient_mark({}) == patient_mark({"PatientID": "  "}) == {}


def test_a_series_that_is_read_carries_the_mark_of_its_patient(data_folder):
    folder = data_folder / "tcia_brain_dicom" / "Study1"
    marks = {
        read_volume(series).acquisition[PATIENT_KEY] for series in sorted(folder.iterdir()) if "reg" in series.name
    }
    assert len(marks) == 1
