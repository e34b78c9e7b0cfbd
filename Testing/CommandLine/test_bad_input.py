"""Bad input, end to end: one sentence with advice, exit code 2, and no file left behind."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from Testing.CommandLine.conftest import MODEL_NAME, start_medsegai

SMALL_SERIES = "tcia_brain_dicom/Study1/13_HCropVolume"


@pytest.fixture
def refused(medsegai, tmp_path) -> Callable[..., str]:
    """Segment something that must be refused; returns the sentence."""
    results = tmp_path / "results"
    results.mkdir()

    def run(scan: Path, *options: object) -> str:
        shown = medsegai(
            *("segment", scan, "-o", results / "out.seg.nrrd", "--model", MODEL_NAME, "--in-process", *options)
        )
        *_, sentence = shown.err.splitlines()
        assert shown.code == 2, shown.err
        assert shown.out == ""
        assert sentence.startswith("medsegai: ")
        assert sentence.endswith((".", "pydicom"))
        assert "Traceback" not in shown.err
        assert list(results.iterdir()) == []
        return sentence

    return run


@pytest.fixture
def spoiled(crop_image, tmp_path) -> Callable[..., Path]:
    """Write the real crop with other voxels; geometry kept where the shape is."""

    def write(array: np.ndarray, *, is_vector: bool = False) -> Path:
        image = sitk.GetImageFromArray(array, isVector=is_vector)
        if image.GetSize() == crop_image.GetSize():
            image.CopyInformation(crop_image)
        sitk.WriteImage(image, str(tmp_path / "scan.nii.gz"))
        return tmp_path / "scan.nii.gz"

    return write


@pytest.fixture
def voxels(crop_image) -> np.ndarray:
    return sitk.GetArrayFromImage(crop_image)


@pytest.fixture
def series(data_folder, tmp_path) -> Path:
    """A copy of a real MR series of 32 slices."""
    if not (data_folder / SMALL_SERIES).is_dir():
        pytest.skip(f"no DICOM series at {data_folder / SMALL_SERIES}")
    return Path(shutil.copytree(data_folder / SMALL_SERIES, tmp_path / "series"))


def test_a_missing_file(refused, tmp_path):
    assert "no file or folder" in refused(tmp_path / "absent.nii.gz")


def test_a_truncated_file(refused, crop, tmp_path):
    content = crop.read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(content[: len(content) // 2])
    assert "cut short" in refused(tmp_path / "cut.nii.gz")


def test_an_empty_file(refused, tmp_path):
    (tmp_path / "empty.nii.gz").touch()
    assert "empty (0 bytes)" in refused(tmp_path / "empty.nii.gz")


def test_a_file_that_is_no_image(refused, tmp_path):
    (tmp_path / "notes.txt").write_text("not a scan")
    assert "not a scan" in refused(tmp_path / "notes.txt")


def test_a_2d_image(refused, spoiled, voxels):
    assert "2D" in refused(spoiled(voxels[0]))


def test_a_4d_image(refused, voxels, tmp_path):
    image = sitk.JoinSeries([sitk.GetImageFromArray(voxels)] * 2)
    sitk.WriteImage(image, str(tmp_path / "time.nii.gz"))
    assert "4D" in refused(tmp_path / "time.nii.gz")


def test_an_image_with_nan(refused, spoiled, voxels):
    filled = np.full(voxels.shape, np.nan, dtype=np.float32)
    assert "not finite numbers" in refused(spoiled(filled))


def test_a_colour_image(refused, spoiled, voxels):
    assert "colour" in refused(spoiled(np.stack([voxels.astype(np.uint8)] * 3, axis=-1), is_vector=True))


def test_an_all_zero_image(refused, spoiled, voxels):
    assert "every voxel has the value 0" in refused(spoiled(np.zeros_like(voxels)))


def test_a_folder_without_images(refused, tmp_path):
    (tmp_path / "nothing").mkdir()
    refused(tmp_path / "nothing")


def test_a_folder_with_two_series_names_them_and_one_can_be_chosen(refused, series):
    other = pydicom.uid.generate_uid()
    for path in list(series.iterdir()):
        header = pydicom.dcmread(path)
        header.SeriesInstanceUID = other
        header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        header.save_as(series / f"other-{path.name}")
    sentence = refused(series)
    assert "2 DICOM series" in sentence
    assert "no series" in refused(series, "--series", "1.2.3").lower()


def test_a_series_with_a_missing_slice(refused, series):
    by_place = sorted(series.iterdir(), key=lambda path: float(pydicom.dcmread(path).ImagePositionPatient[2]))
    by_place[len(by_place) // 2].unlink()
    assert "missing" in refused(series)


def test_a_label_that_does_not_exist(refused, crop, tmp_path):
    heat = tmp_path / "results" / "heat.nrrd"
    sentence = refused(crop, "--heatmap", heat, "--target", "liver")
    assert "no label 'liver'" in sentence
    assert "anterior_hippocampus" in sentence


def test_a_region_outside_the_volume(refused, crop):
    sentence = refused(crop, "--roi", "900:950,900:950,900:950")
    assert "lies outside the scan" in sentence


def test_a_region_that_is_not_one(refused, crop):
    assert "could not be understood" in refused(crop, "--roi", "the left half")


@pytest.mark.parametrize("runner", [["--in-process"], []], ids=["in process", "through the worker"])
def test_a_tampered_model(medsegai, own_model, crop, tmp_path, runner):
    content = bytearray(own_model.weights_path.read_bytes())
    content[len(content) // 2] ^= 255
    own_model.weights_path.write_bytes(content)
    out = tmp_path / "out.seg.nrrd"
    shown = medsegai("segment", crop, "-o", out, "--model", own_model.folder, *runner)
    assert shown.code == 2
    assert "changed or damaged" in shown.err.splitlines()[-1]
    assert not out.exists()


def test_a_folder_that_is_no_model(medsegai, crop, tmp_path):
    shown = medsegai("segment", crop, "-o", tmp_path / "out.seg.nrrd", "--model", tmp_path)
    assert shown.code == 2
    assert "not a complete model folder" in shown.err


def test_the_wrong_kind_of_scan(refused, series):
    for path in series.iterdir():
        header = pydicom.dcmread(path)
        header.Modality = "CT"
        header.save_as(path)
    sentence = refused(series)
    assert "is a CT scan" in sentence


def segment_with_files_no_larger_than(limit: int, *arguments: object) -> tuple[int, str]:
    """What a full disk does to a writer, at the moment of writing; exit code and last line of standard error."""
    command = start_medsegai(
        *("segment", *arguments, "--model", MODEL_NAME),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    out, err = command.communicate(timeout=120)
    assert out == ""
    assert "Traceback" not in err
    return command.returncode, err.splitlines()[-1]


@pytest.fixture(autouse=True)
def no_coverage_in_subprocesses(monkeypatch):
    """Coverage writes files of its own, and complains loudly where files may not grow."""
    for name in list(os.environ):
        if name.startswith("COV"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("ending", [".seg.nrrd", ".nii"])
def test_a_full_disk(crop, tmp_path, ending):
    out = tmp_path / f"out{ending}"
    code, sentence = segment_with_files_no_larger_than(4096, crop, "-o", out, "--in-process")
    assert (code, list(tmp_path.iterdir())) == (2, [])
    assert sentence.startswith(f"medsegai: '{out}' could not be written: the disk is full.")


def test_a_disk_that_is_full_before_the_heat_map_keeps_the_segmentation_and_says_so(crop, tmp_path):
    out, heat = tmp_path / "out.seg.nrrd", tmp_path / "heat.nrrd"
    options = ("-o", out, "--heatmap", heat, "--target", "anterior_hippocampus", "--in-process")
    code, sentence = segment_with_files_no_larger_than(100_000, crop, *options)
    assert (code, list(tmp_path.iterdir())) == (2, [out])
    assert f"'{heat}' could not be written: the disk is full." in sentence
    assert f"Written: segmentation '{out}'. Not written: heat map '{heat}'." in sentence


def test_a_full_temporary_folder_of_the_worker(crop, tmp_path, monkeypatch):
    results, scratch = tmp_path / "results", tmp_path / "scratch"
    results.mkdir()
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    code, sentence = segment_with_files_no_larger_than(20_000, crop, "-o", results / "out.seg.nrrd")
    assert (code, list(results.iterdir()), list(scratch.iterdir())) == (2, [], [])
    assert "the disk is full" in sentence
    assert str(scratch) in sentence


def test_a_scene_without_the_slicer_core_is_refused_before_the_work(refused, crop, tmp_path, monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "slicer" else found(name))
    assert "pip install 'slicer-core" in refused(crop, "--scene", tmp_path / "results" / "case.mrb")
