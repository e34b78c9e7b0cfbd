"""The record of a run in DICOM says how, and never on which file of whose computer."""

from __future__ import annotations

from dataclasses import replace

import pydicom

from MedSegAI.Logic.files.dicom.shared_provenance import (
    algorithm_parameters,
    provenance_of,
    put_provenance,
    shared_record,
)
from Testing.Logic.corrections.conftest import MADE

LEAKY = replace(
    MADE,
    input_name="Meier head",
    settings={"region": "box of 'Meier head'", "where": "/home/anna/scans/meier.nii", "overlap": 0.25},
    fallbacks=("C:\\Users\\anna\\x\\model.pt was slow.", "1/2 of the windows"),
)


def test_names_of_scans_and_places_of_files_do_not_leave():
    text = shared_record(LEAKY)
    for part in ("Meier", "anna", "scans", "model.pt"):
        assert part not in text
    assert "1/2 of the windows" in text


def test_the_record_survives_a_file(tmp_path):
    dataset = pydicom.dcmread(pydicom.data.get_testdata_file("CT_small.dcm"))
    put_provenance(dataset, LEAKY)
    dataset.save_as(tmp_path / "with.dcm")
    found = provenance_of(pydicom.dcmread(tmp_path / "with.dcm"))
    assert (found.model_sha256, found.regions, found.settings["overlap"]) == (MADE.model_sha256, MADE.regions, 0.25)


def test_without_a_record_or_with_a_damaged_one_there_is_none():
    dataset = pydicom.Dataset()
    put_provenance(dataset, None)
    assert len(dataset) == 0
    assert provenance_of(dataset) is None
    put_provenance(dataset, MADE)
    dataset[0x0071, 0x1001].value = "{"
    assert provenance_of(dataset) is None


def test_the_parameters_identify_the_model_and_hold_no_comma():
    parameters = algorithm_parameters(replace(MADE, device="cuda:0 (A, B) /usr/lib/x.so"))
    assert parameters["model_sha256"] == MADE.model_sha256
    assert "," not in "".join(parameters.values())
    assert "/usr/lib" not in "".join(parameters.values())
