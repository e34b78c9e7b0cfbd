"""A result says how it came about, down to the regions that were looked at."""

from __future__ import annotations

import platform

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.provenance import Provenance, software_versions


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


def test_versions_are_those_that_run():
    versions = software_versions()
    assert versions["Python"] == platform.python_version()
    assert {"torch", "numpy", "SimpleITK"} <= set(versions)


def test_a_caller_cannot_change_the_versions_of_others():
    software_versions()["numpy"] = "0"
    assert software_versions()["numpy"] != "0"
