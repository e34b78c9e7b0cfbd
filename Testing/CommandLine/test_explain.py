"""``medsegai explain``: a label of a stored segmentation, or of one made on the way."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk

from Testing.CommandLine.conftest import MODEL_NAME

TARGET = "anterior_hippocampus"


@pytest.fixture
def stored(medsegai, crop, tmp_path):
    """A segmentation that ``segment`` wrote, and the heat map it gave."""
    out, heat = tmp_path / "stored.seg.nrrd", tmp_path / "first.nrrd"
    shown = medsegai(
        *("segment", crop, "-o", out, "--model", MODEL_NAME, "--in-process", "--heatmap", heat, "--target", TARGET)
    )
    assert shown.code == 0, shown.err
    return out, heat


def voxels(path):
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def test_a_stored_segmentation_gives_the_heat_map_of_the_first_run(medsegai, crop, stored, tmp_path):
    out, first = stored
    again = tmp_path / "again.nrrd"
    shown = medsegai("explain", crop, out, "-o", again, "--target", TARGET, "--in-process", "--json")
    assert shown.code == 0, shown.err
    facts = json.loads(shown.out)
    assert (facts["model"], facts["target"], facts["layer"]) == (MODEL_NAME, TARGET, "decoder1")
    assert np.allclose(voxels(again), voxels(first), atol=1e-6)


def test_without_a_segmentation_the_scan_is_segmented_first(medsegai, crop, stored, tmp_path):
    pytest.importorskip("slicer", reason="the Slicer core is not installed")
    heat, scene = tmp_path / "anew.nrrd", tmp_path / "anew.mrb"
    shown = medsegai(
        *("explain", crop, "-o", heat, "--target", "1", "--model", MODEL_NAME, "--in-process", "--scene", scene)
    )
    assert shown.code == 0, shown.err
    assert "not a probability" in shown.out
    assert np.allclose(voxels(heat), voxels(stored[1]), atol=1e-6)
    assert scene.is_file()


def test_a_label_the_segmentation_does_not_have_is_refused(medsegai, crop, stored, tmp_path):
    shown = medsegai("explain", crop, stored[0], "-o", tmp_path / "no.nrrd", "--target", "liver", "--in-process")
    assert shown.code == 2
    assert "no label 'liver'" in shown.err
    assert "anterior_hippocampus (1)" in shown.err
    assert not (tmp_path / "no.nrrd").exists()


def test_a_segmentation_that_does_not_say_how_it_was_made_is_refused(medsegai, hippocampus_crops, tmp_path):
    case = hippocampus_crops[0]
    shown = medsegai(
        *("explain", case.image, case.labels, "-o", tmp_path / "no.nrrd", "--target", "1", "--in-process"),
        *("--model", MODEL_NAME),
    )
    assert shown.code == 2
    assert "does not say how it was made" in shown.err


def test_a_segmentation_of_another_scan_is_refused(medsegai, hippocampus_crops, stored, tmp_path):
    moved = sitk.ReadImage(str(hippocampus_crops[0].image))
    moved.SetOrigin((500.0, 0.0, 0.0))
    sitk.WriteImage(moved, str(tmp_path / "elsewhere.nii.gz"))
    for scan in (tmp_path / "elsewhere.nii.gz", hippocampus_crops[1].image):
        shown = medsegai("explain", scan, stored[0], "-o", tmp_path / "no.nrrd", "--target", TARGET, "--in-process")
        assert shown.code == 2
        assert "scan" in shown.err
        assert not (tmp_path / "no.nrrd").exists()


def test_a_region_and_a_segmentation_exclude_each_other(medsegai, crop, stored, tmp_path):
    shown = medsegai(
        *("explain", crop, stored[0], "-o", tmp_path / "no.nrrd", "--target", TARGET, "--roi", "0:9,0:9,0:9")
    )
    assert shown.code == 2
    assert "exclude each other" in shown.err


def test_the_segmentation_is_never_replaced_by_the_heat_map(medsegai, crop, stored):
    shown = medsegai("explain", crop, stored[0], "-o", stored[0], "--target", TARGET)
    assert shown.code == 2
    assert "is named like a segmentation" in shown.err
    shown = medsegai("explain", crop, stored[0], "-o", crop, "--target", TARGET)
    assert (shown.code, "input itself" in shown.err) == (2, True)
