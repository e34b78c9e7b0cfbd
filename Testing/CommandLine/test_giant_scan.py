"""A scan too large for the usual way stays in its file, and what is written is the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from MedSegAI.CommandLine import giant_scan
from MedSegAI.Logic.files.planes.open_planes import open_planes
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.files.write import write_volume
from Testing.CommandLine.conftest import MODEL_NAME

_SAYS_SO = "read a few planes at a time"


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giant_scan, "_GIANT_BYTES", 0)


@pytest.fixture(params=["crop.nii.gz", "crop.nrrd", "upside down.nii.gz"])
def a_crop(request: pytest.FixtureRequest, crop: Path, tmp_path: Path) -> Path:
    """A real crop in several kinds of file; in one the planes run from the head to the feet."""
    scan = read_volume(crop)
    if "upside" in request.param:
        image = scan.to_sitk()[:, :, ::-1]
        scan = type(scan).from_sitk(image, modality=scan.modality, unit=scan.unit)
    write_volume(tmp_path / request.param, scan)
    return tmp_path / request.param


def _segment(medsegai, scan: Path, output: Path, *options: object):
    command = ("segment", scan, "-o", output, "--model", MODEL_NAME, "--in-process", "--engine", "torch", "--json")
    shown = medsegai(*command, *options)
    assert shown.code == 0, shown.err
    return shown


@pytest.mark.parametrize("options", [(), ("--roi", "3:30,4:40,2:30")])
def test_the_segmentation_is_that_of_the_usual_way(medsegai, a_crop, tmp_path, monkeypatch, options):
    usual = _segment(medsegai, a_crop, tmp_path / "usual.seg.nrrd", *options)
    assert _SAYS_SO not in usual.err
    monkeypatch.setattr(giant_scan, "_GIANT_BYTES", 0)
    giant = _segment(medsegai, a_crop, tmp_path / "giant.seg.nrrd", *options)
    assert _SAYS_SO in giant.err
    expected, found = (read_segmentation(tmp_path / f"{name}.seg.nrrd") for name in ("usual", "giant"))
    assert expected.labels.array.any()
    np.testing.assert_array_equal(found.labels.array, expected.labels.array)
    assert found.labels.grid == expected.labels.grid
    assert json.loads(giant.out)["volumes"] == json.loads(usual.out)["volumes"]
    assert found.provenance.inputs == expected.provenance.inputs
    names = {a_crop.name, "usual.seg.nrrd", "giant.seg.nrrd"}
    assert {path.name for path in tmp_path.iterdir()} - names <= {"models"}


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("more", [("--confidence", "sure.nrrd"), ("--prepare", "percentile-clip")])
def test_whoever_wants_more_than_labels_gets_them_in_the_usual_way(medsegai, crop, tmp_path, more):
    option, value = more
    value = tmp_path / value if option == "--confidence" else "percentile"
    shown = medsegai(
        *("segment", crop, "-o", tmp_path / "out.seg.nrrd", "--model", MODEL_NAME, "--in-process", option, value)
    )
    assert shown.code == 0, shown.err
    assert _SAYS_SO not in shown.err


@pytest.mark.usefixtures("everything_is_large")
def test_a_damaged_file_is_refused_and_nothing_is_left(medsegai, crop, tmp_path):
    write_volume(tmp_path / "scan.nii.gz", read_volume(crop))
    data = (tmp_path / "scan.nii.gz").read_bytes()
    (tmp_path / "scan.nii.gz").write_bytes(data[: len(data) // 2])
    shown = medsegai(
        *("segment", tmp_path / "scan.nii.gz", "-o", tmp_path / "out.seg.nrrd", "--model", MODEL_NAME, "--in-process")
    )
    assert shown.code == 2
    assert "scan.nii.gz" in shown.err
    assert [path.name for path in tmp_path.iterdir()] == ["scan.nii.gz"]


def test_a_large_segmentation_is_written_in_planes_with_all_its_fields(medsegai, crop, tmp_path, monkeypatch):
    import MedSegAI.Logic.files.write as write_module

    _segment(medsegai, crop, tmp_path / "whole.seg.nrrd")
    monkeypatch.setattr(write_module, "_IN_PLANES_FROM_BYTES", 0)
    stored = read_segmentation(tmp_path / "whole.seg.nrrd")
    for name in ("planes.seg.nrrd", "planes.nrrd", "planes.nii.gz"):
        write_module.write_segmentation(tmp_path / name, stored.labels, stored.table, stored.provenance)
        np.testing.assert_array_equal(open_planes(tmp_path / name).planes(0, 20), stored.labels.array[:20])
    again = read_segmentation(tmp_path / "planes.seg.nrrd")
    assert again.table == stored.table
    assert again.provenance == stored.provenance
    assert again.labels.grid == stored.labels.grid
