"""``medsegai demo`` on the real template brain with an untrained network of the shipped model's size."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from MedSegAI.Logic.files.read import read_image
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from Testing.CommandLine.conftest import MODEL_NAME, start_medsegai

ALWAYS = {"segmentation.seg.nrrd", "volumes.csv", "heatmap.nrrd", "slices.png"}
GL_LIBRARIES = ("libOSMesa.so", "libOSMesa.so.8", "libOSMesa.so.6", "libGL.so.1", "libEGL.so.1", "libGLX.so.0")


@pytest.fixture(autouse=True)
def the_template() -> None:
    pytest.importorskip("nilearn", reason="nilearn carries the template brain")


def test_the_demo_writes_data_pictures_and_volumes_and_tells_the_symmetry(medsegai, tmp_path):
    graphics = pytest.importorskip("MedSegAI.Bridge.graphics", reason="the Slicer core is not installed")
    if not graphics.gl_state().usable:
        pytest.skip(graphics.gl_state().sentence)
    shown = medsegai("demo", "-o", tmp_path / "demo", "--model", MODEL_NAME, "--in-process", "--json")
    assert shown.code == 0, shown.err
    facts = json.loads(shown.out)
    assert {Path(path).name for path in facts["files"].values()} == ALWAYS | {"scene.mrb", "view3d.png"}
    assert {path.name for path in (tmp_path / "demo").iterdir()} == ALWAYS | {"scene.mrb", "view3d.png"}
    assert facts["left_out"] == {}

    stored = read_segmentation(tmp_path / "demo" / "segmentation.seg.nrrd")
    rows = list(csv.DictReader((tmp_path / "demo" / "volumes.csv").open()))
    assert [row["key"] for row in rows] == [label.key for label in stored.table]
    for row in rows:
        counted = int((stored.labels.array == int(row["label"])).sum())
        assert int(row["voxels"]) == counted
        assert float(row["volume_ml"]) == pytest.approx(counted / 1000, abs=1e-3)
    assert [entry["structure"] for entry in facts["symmetry"]][-1] == "whole"
    assert facts["symmetry"][-1]["dice"] > 0.8, "both sides are shown to the same network"
    assert read_image(tmp_path / "demo" / "heatmap.nrrd").GetSize() == stored.labels.grid.size


def test_without_gl_the_demo_ends_well_and_says_which_picture_was_left_out(tmp_path, monkeypatch):
    pytest.importorskip("slicer", reason="the Slicer core is not installed")
    broken = tmp_path / "libraries"
    broken.mkdir()
    for name in GL_LIBRARIES:
        (broken / name).write_bytes(b"")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(broken))
    monkeypatch.setenv("VTK_DEFAULT_OPENGL_WINDOW", "vtkOSOpenGLRenderWindow")
    monkeypatch.delenv("DISPLAY", raising=False)
    command = start_medsegai("demo", "-o", tmp_path / "demo", "--model", MODEL_NAME, "--json")
    out, err = command.communicate(timeout=300)
    assert command.returncode == 0, err
    facts = json.loads(out)
    assert list(facts["left_out"]) == ["view3d.png"]
    assert "apt-get install" in facts["left_out"]["view3d.png"]
    assert {path.name for path in (tmp_path / "demo").iterdir()} == ALWAYS | {"scene.mrb"}
    messages = [json.loads(line).get("message", "") for line in err.splitlines()]
    assert any(text.startswith("Left out: view3d.png.") for text in messages)


def test_an_unknown_label_is_refused_before_the_work(medsegai, tmp_path):
    shown = medsegai("demo", "-o", tmp_path / "demo", "--model", MODEL_NAME, "--target", "liver")
    assert shown.code == 2
    assert "left_anterior_hippocampus (1)" in shown.err
    assert not (tmp_path / "demo").exists()


def test_a_folder_that_cannot_be_made_is_refused_before_the_work(medsegai, tmp_path):
    (tmp_path / "demo").touch()
    shown = medsegai("demo", "-o", tmp_path / "demo", "--model", MODEL_NAME)
    assert shown.code == 2
    assert "is a file, not a folder" in shown.err
    assert shown.out == ""
