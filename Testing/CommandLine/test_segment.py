"""``medsegai segment`` end to end: a real crop, a genuine network, every file that can be asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.files.read_segmentation import read_segmentation
from Testing.CommandLine.conftest import MODEL_NAME, start_medsegai

TARGET = "anterior_hippocampus"


def test_every_file_that_was_asked_for_is_written_and_named(medsegai, crop, tmp_path):
    pytest.importorskip("slicer", reason="the Slicer core is not installed")
    names = {
        "segmentation": "out.seg.nrrd",
        "confidence": "sure.nii.gz",
        "heat_map": "heat.nrrd",
        "scene": "case.mrb",
    }
    paths = {what: tmp_path / name for what, name in names.items()}
    shown = medsegai(
        *("segment", crop, "-o", paths["segmentation"], "--model", MODEL_NAME, "--in-process", "--json"),
        *("--confidence", paths["confidence"], "--heatmap", paths["heat_map"], "--target", TARGET),
        *("--scene", paths["scene"]),
    )
    assert shown.code == 0, shown.err
    facts = json.loads(shown.out)
    assert facts["files"] == {what: str(path) for what, path in paths.items()}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names.values())

    scan = sitk.ReadImage(str(crop))
    for what in ("confidence", "heat_map"):
        image = sitk.ReadImage(str(paths[what]))
        assert image.GetSize() == scan.GetSize()
        assert np.allclose(image.GetOrigin(), scan.GetOrigin())
        values = sitk.GetArrayFromImage(image)
        assert 0 <= values.min() < values.max() <= 1
    stored = read_segmentation(paths["segmentation"])
    assert stored.provenance.model == MODEL_NAME == facts["provenance"]["model"]
    for entry in facts["volumes"]:
        counted = int((stored.labels.array == entry["value"]).sum()) * stored.labels.grid.voxel_volume_ml
        assert entry["volume_ml"] == pytest.approx(counted, abs=1e-4)


def test_the_scene_opens_with_scan_segments_and_heat_map(medsegai, crop, tmp_path):
    pytest.importorskip("slicer", reason="the Slicer core is not installed")
    from MedSegAI.Bridge.scene import load_scene

    scene = tmp_path / "case.mrb"
    shown = medsegai(
        *("segment", crop, "-o", tmp_path / "out.seg.nrrd", "--model", MODEL_NAME, "--in-process"),
        *("--heatmap", tmp_path / "heat.nrrd", "--target", TARGET, "--scene", scene),
    )
    assert shown.code == 0, shown.err
    opened = load_scene(scene)
    assert opened.mrml.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 2
    segmentation = opened.mrml.GetFirstNodeByClass("vtkMRMLSegmentationNode").GetSegmentation()
    assert segmentation.GetSegment(TARGET).GetName() == "Anterior hippocampus"
    assert segmentation.GetSegment(TARGET).GetRepresentation("Closed surface").GetNumberOfPolys() > 0


def test_a_scan_in_which_nothing_was_found_still_gives_a_scene_and_says_so(medsegai, crop_image, tmp_path):
    pytest.importorskip("slicer", reason="the Slicer core is not installed")
    from MedSegAI.Bridge.scene import load_scene

    sitk.WriteImage(crop_image[:2, :2, :2], str(tmp_path / "tiny.nrrd"))
    shown = medsegai("segment", tmp_path / "tiny.nrrd", "-o", tmp_path / "out.nrrd", "--scene", tmp_path / "case.mrb")
    assert shown.code == 0, shown.err
    assert [line.split()[2:] for line in shown.out.splitlines()[1:3]] == [["not", "found"]] * 2
    assert load_scene(tmp_path / "case.mrb").mrml.GetFirstNodeByClass("vtkMRMLSegmentationNode") is not None


def test_only_the_side_that_was_looked_at_is_reported(medsegai, crop_image, tmp_path):
    size = [100, 100, 100]
    head = sitk.Resample(crop_image, size, sitk.Transform(), sitk.sitkLinear, crop_image.GetOrigin(), (1.0, 1.0, 1.0))
    sitk.WriteImage(head, str(tmp_path / "head.nrrd"))
    shown = medsegai(
        *("segment", tmp_path / "head.nrrd", "-o", tmp_path / "out.nrrd", "--model", MODEL_NAME, "--in-process"),
        *("--roi", "0:40,0:40,0:40", "--json"),
    )
    assert shown.code == 0, shown.err
    keys = [entry["key"] for entry in json.loads(shown.out)["volumes"]]
    assert keys == ["right_anterior_hippocampus", "right_posterior_hippocampus"]


def test_the_worker_process_and_this_process_give_the_same(medsegai, crop, tmp_path):
    for name, extra in (("inline", ["--in-process"]), ("worker", [])):
        shown = medsegai("segment", crop, "-o", tmp_path / f"{name}.nii.gz", "--model", MODEL_NAME, *extra)
        assert shown.code == 0, shown.err
    one, other = (sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / f"{n}.nii.gz"))) for n in ("inline", "worker"))
    assert one.any()
    assert np.array_equal(one, other)


@pytest.mark.parametrize("ending", [".nii", ".nrrd", ".mha", ".mhd"])
def test_every_input_format_gives_the_same_segmentation(medsegai, crop, crop_image, tmp_path, ending):
    sitk.WriteImage(crop_image, str(tmp_path / f"scan{ending}"))
    found = []
    for number, scan in enumerate((crop, tmp_path / f"scan{ending}")):
        out = tmp_path / f"{number}.nrrd"
        shown = medsegai("segment", scan, "-o", out, "--model", MODEL_NAME, "--in-process")
        assert shown.code == 0, shown.err
        found.append(sitk.ReadImage(str(out)))
    assert np.array_equal(*map(sitk.GetArrayFromImage, found))
    assert np.allclose(found[0].GetOrigin(), found[1].GetOrigin(), atol=1e-4)


def test_a_dicom_folder_is_segmented_on_its_own_grid(medsegai, data_folder, tmp_path):
    series = data_folder / "tcia_brain_dicom" / "Study1" / "13_HCropVolume"
    if not series.is_dir():
        pytest.skip(f"no DICOM series at {series}")
    out = tmp_path / "out.seg.nrrd"
    shown = medsegai("segment", series, "-o", out, "--model", MODEL_NAME, "--in-process")
    assert shown.code == 0, shown.err
    assert "does not say what kind of scan" not in shown.err
    assert read_segmentation(out).labels.grid.shape[0] == len(list(series.iterdir()))


def test_a_person_reads_the_volumes_and_where_the_files_are(medsegai, crop, tmp_path):
    out = tmp_path / "out.seg.nrrd"
    shown = medsegai("segment", crop, "-o", out, "--model", MODEL_NAME, "--in-process")
    assert shown.code == 0
    assert "Anterior hippocampus" in shown.out
    assert " mL\n" in shown.out
    assert shown.out.endswith(f"Written: segmentation '{out}'.\n")
    assert "Needs about" in shown.err, "the memory plan is told before the run"


def test_a_model_is_named_by_its_folder_as_well(medsegai, crop, own_model, tmp_path):
    out = tmp_path / "out.seg.nrrd"
    assert medsegai("segment", crop, "-o", out, "--model", own_model.folder, "--in-process").code == 0


def test_a_heat_map_that_fails_says_what_was_written_and_what_was_not(medsegai, crop, tmp_path):
    out, heat = tmp_path / "out.seg.nrrd", tmp_path / "heat.nrrd"
    shown = medsegai(
        *("segment", crop, "-o", out, "--model", MODEL_NAME, "--in-process"),
        *("--heatmap", heat, "--target", TARGET, "--layer", "encoder99"),
    )
    assert shown.code == 2
    assert "encoder99" in shown.err
    assert f"Written: segmentation '{out}'. Not written: heat map '{heat}'." in shown.err
    assert [path.name for path in tmp_path.iterdir()] == ["out.seg.nrrd"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--heatmap", "heat.nrrd"], "belong together"),
        (["--target", TARGET], "belong together"),
        (["--layer", "decoder1"], "--layer needs"),
        (["--overlap", "1.5"], "overlap 1.5 is not usable"),
        (["--confidence", "out.seg.nrrd"], "is named like a segmentation"),
        (["--confidence", "one.nrrd", "--heatmap", "one.nrrd", "--target", TARGET], "same file"),
        (["--scene", "case.zip"], "no ending"),
        (["--model", "liver"], "no model 'liver'"),
        (["--device", "cuda"], "GPU cannot be used"),
    ],
)
def test_an_option_that_cannot_work_is_refused_and_nothing_is_written(
    medsegai, crop, tmp_path, monkeypatch, options, sentence
):
    if "cuda" in options:
        import torch

        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU")
    monkeypatch.chdir(tmp_path)
    shown = medsegai("segment", crop, "-o", "out.seg.nrrd", "--model", MODEL_NAME, "--in-process", *options)
    assert shown.code == 2
    assert sentence in shown.err
    assert list(tmp_path.iterdir()) == []


def test_progress_and_result_reach_machines_through_a_real_process(crop, tmp_path):
    out = tmp_path / "out.seg.nrrd"
    command = start_medsegai("segment", crop, "-o", out, "--model", MODEL_NAME, "--json")
    stdout, stderr = command.communicate(timeout=120)
    assert command.returncode == 0, stderr
    assert json.loads(stdout)["files"]["segmentation"] == str(out)
    events = [json.loads(line) for line in stderr.splitlines()]
    last = [event["progress"] for event in events if "progress" in event][-1]
    assert last["done"] == last["total"] > 1


def test_an_unknown_label_is_refused_with_those_of_a_crop_and_of_a_whole_scan(medsegai, crop, tmp_path):
    wanted = ("--heatmap", tmp_path / "heat.nrrd", "--target", "liver")
    shown = medsegai("segment", crop, "-o", tmp_path / "out.nrrd", "--model", MODEL_NAME, *wanted)
    assert shown.code == 2
    assert "in a crop: anterior_hippocampus (1)" in shown.err
    assert "in a whole scan: left_anterior_hippocampus (1)" in shown.err
    assert list(tmp_path.iterdir()) == []
