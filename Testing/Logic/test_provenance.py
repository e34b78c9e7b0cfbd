"""A result says how it came about, down to the regions that were looked at."""

from __future__ import annotations

import json
import platform
from dataclasses import replace

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.provenance import InputRecord, Provenance, software_versions
from MedSegAI.Logic.step_record import StepRecord


def a_provenance() -> Provenance:
    region = LocalisedRegion("right hippocampus", Grid((4, 5, 6), (1.0, 1.0, 1.5), (1.0, 2.0, 3.0)), True, ((1, 3),))
    return Provenance(
        model="hippocampus-mr",
        model_version="1",
        model_sha256="0" * 64,
        engine="torch",
        device="cpu",
        input_name="Müller's head.nii",
        grid_shape=(10, 20, 30),
        grid_spacing_mm=(1.0, 1.0, 1.2),
        regions=(region,),
        settings={"device": "cpu", "overlap": None},
        seconds=1.5,
        created="2026-11-24T06:00:00+00:00",
        fallbacks=("Out of GPU memory: continued on the CPU.",),
    )


def test_the_record_survives_a_line_of_json():
    record = a_provenance()
    text = record.to_json()
    assert "\n" not in text
    assert Provenance.from_json(text) == record


def test_what_was_done_to_each_input_survives_too():
    aligned = StepRecord("align", "'b' was aligned to 'a'.", {"matrix": [1.0, 0.5]}, {"spread_mm": 0.4})
    inputs = (InputRecord("T1", "a"), InputRecord("FLAIR", "b", (aligned,)), InputRecord("T2", None))
    record = replace(a_provenance(), inputs=inputs)
    assert Provenance.from_json(record.to_json()) == record
    assert (replace(record, input_name="b").reference_input, a_provenance().reference_input) == ("FLAIR", None)


def test_a_record_of_an_older_version_is_read():
    plain = json.loads(a_provenance().to_json())
    del plain["inputs"]
    assert Provenance.from_json(json.dumps(plain)) == a_provenance()


def test_versions_are_those_that_run():
    versions = software_versions()
    assert versions["Python"] == platform.python_version()
    assert {"torch", "numpy", "SimpleITK"} <= set(versions)


def test_a_caller_cannot_change_the_versions_of_others():
    software_versions()["numpy"] = "0"
    assert software_versions()["numpy"] != "0"
