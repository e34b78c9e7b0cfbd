"""``medsegai resample``: a file on another grid, in memory and in planes alike."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.large import planned
from MedSegAI.Logic.standardise.resample import Interpolation, canonical_grid, grid_with_spacing, resample
from MedSegAI.Logic.volume import Modality, Unit, Volume
from Testing.synthetic_series import a_pattern, write_series


@pytest.fixture
def ct(tmp_path):
    """A small CT, int16 HU."""
    array = np.random.default_rng(6).integers(-1000, 2000, (12, 14, 16)).astype(np.int16)
    volume = Volume(array, Grid(array.shape, (0.8, 1.1, 2.3), (11.0, -22.0, 33.5)), Modality.CT, Unit.HOUNSFIELD)
    path = tmp_path / "ct.nrrd"
    sitk.WriteImage(volume.to_sitk(), str(path))
    return path, volume


@pytest.mark.parametrize("more", [(), ("--chunked",), ("--chunked", "--uncompressed")], ids=" ".join)
def test_another_spacing_keeps_whole_numbers(medsegai, ct, tmp_path, more):
    path, volume = ct
    out = tmp_path / "out.nrrd"
    shown = medsegai("resample", path, "-o", out, "--spacing", "1,1,1.5", *more)
    assert shown.code == 0, shown.err
    assert f"Written: scan '{out}'." in shown.out
    assert "Resampled from 16 x 14 x 12 voxels of 0.8 x 1.1 x 2.3 mm to 13 x 16 x 19 voxels of 1 x 1 x 1.5" in shown.out
    assert ("at most" in shown.err) is ("--chunked" in more)
    found = read_volume(out)
    grid = grid_with_spacing(volume.grid, (1.0, 1.0, 1.5))
    np.testing.assert_array_equal(found.array, resample(volume, grid, dtype=np.int16).array)
    assert [record.step for record in found.steps] == ["resample"]


@pytest.mark.parametrize("more", [(), ("--chunked",)], ids=" ".join)
def test_the_grid_of_a_reference_through_a_transform(medsegai, ct, tmp_path, crop, more):
    path, volume = ct
    reference = Grid((10, 11, 12), (1.0, 1.0, 1.0), (13.0, -20.0, 36.0))
    sitk.WriteImage(Volume(np.zeros(reference.shape, np.uint8), reference).to_sitk(), str(tmp_path / "ref.nii"))
    moved = sitk.Euler3DTransform((17.0, -15.0, 45.0), 0.1, 0.05, -0.1, (1.0, 2.0, -1.5))
    sitk.WriteTransform(moved, str(tmp_path / "moved.tfm"))
    sitk.WriteTransform(sitk.CompositeTransform([moved]), str(tmp_path / "moved.h5"))
    oracle = sitk.Resample(
        sitk.Cast(volume.to_sitk(), sitk.sitkFloat32),
        sitk.ReadImage(str(tmp_path / "ref.nii")),
        moved,
        sitk.sitkBSpline3,
        -1000.0,
    )
    for transform in ("moved.tfm", "moved.h5"):
        out = tmp_path / f"out-{transform}.nrrd"
        options = ("--interpolation", "bspline", "--background", "-1000", *more)
        shown = medsegai(
            "resample", path, "-o", out, "--like", tmp_path / "ref.nii", "--transform", tmp_path / transform, *options
        )
        assert shown.code == 0, shown.err
        found = read_volume(out)
        assert found.grid.same_frame(reference)
        assert np.abs(found.array - sitk.GetArrayFromImage(oracle)).max() <= 0.51
        assert found.array.dtype == np.int16


def test_labels_keep_their_names_and_values(medsegai, hippocampus_crops, tmp_path):
    scan, labels = hippocampus_crops[0].image, hippocampus_crops[0].labels
    fine = canonical_grid(read_volume(scan).grid, spacing_mm=(0.5, 0.5, 0.5))
    sitk.WriteImage(Volume(np.zeros(fine.shape, np.uint8), fine).to_sitk(), str(tmp_path / "fine.nrrd"))
    before = read_segmentation(labels)
    for more in ((), ("--chunked",), ("--interpolation", "nearest")):
        out = tmp_path / ("out.nrrd" if "--chunked" in more else "out.seg.nrrd")
        shown = medsegai("resample", labels, "-o", out, "--labels", "--like", tmp_path / "fine.nrrd", *more)
        assert shown.code == 0, shown.err
        found = read_segmentation(out).labels
        assert found.grid.same_frame(fine)
        assert set(np.unique(found.array)) == {0, 1, 2}
        for value in (1, 2):
            volume = np.count_nonzero(found.array == value) / 8
            assert volume == pytest.approx(np.count_nonzero(before.labels.array == value), rel=0.02)
        shown = medsegai("resample", out, "-o", tmp_path / "back.seg.nrrd", "--labels", "--like", scan)
        back = read_segmentation(tmp_path / "back.seg.nrrd")
        same = np.count_nonzero((back.labels.array > 0) & (before.labels.array > 0))
        assert 2 * same / (np.count_nonzero(back.labels.array) + np.count_nonzero(before.labels.array)) > 0.99
        if ".seg" in out.name:
            assert [label.name for label in back.table] == [label.name for label in before.table]


def test_steps_come_first_and_are_written_down(medsegai, ct, tmp_path):
    path, _ = ct
    for more in ((), ("--chunked",)):
        out = tmp_path / "out.nrrd"
        steps = ("--step", "ct-clip", "--step", "window:preset=bone", "--modality", "CT")
        shown = medsegai("resample", path, "-o", out, "--spacing", "2,2,2", *steps, *more, "--json")
        assert shown.code == 0, shown.out
        facts = json.loads(shown.out)
        assert [record["step"] for record in facts["steps"]] == ["ct-clip", "window", "resample"]
        assert facts["planes_at_a_time"] is bool(more)
        assert facts["grid"]["spacing"] == [2.0, 2.0, 2.0]
        found = read_volume(out)
        assert found.array.dtype == np.float32 and 0 <= found.array.min() < found.array.max() <= 1


def test_a_large_scan_goes_in_planes_without_being_asked(medsegai, ct, tmp_path, monkeypatch):
    path, _ = ct
    monkeypatch.setattr(planned, "LARGE_BYTES", 100)
    out = tmp_path / "out.nrrd"
    facts = json.loads(medsegai("resample", path, "-o", out, "--spacing", "2,2,2", "--json").out)
    assert facts["planes_at_a_time"] is True and facts["peak_bytes"] > 0
    # A step that looks at the whole scan needs it in memory.
    shown = medsegai("resample", path, "-o", out, "--spacing", "2,2,2", "--step", "percentile", "--json")
    assert json.loads(shown.out)["planes_at_a_time"] is False


def test_large_labels_that_keep_their_names_are_done_in_memory(medsegai, hippocampus_crops, tmp_path, monkeypatch):
    monkeypatch.setattr(planned, "LARGE_BYTES", 100)
    out = tmp_path / "out.seg.nrrd"
    labels = hippocampus_crops[0].labels
    shown = medsegai("resample", labels, "-o", out, "--labels", "--spacing", "2,2,2", "--json")
    assert shown.code == 0, shown.err
    assert json.loads(shown.out)["planes_at_a_time"] is False
    assert [label.name for label in read_segmentation(out).table]


def test_the_grid_of_a_series_with_a_tilted_gantry_is_the_straightened_one(medsegai, ct, tmp_path):
    column = (0.0, np.cos(0.2), np.sin(0.2))
    shift = tuple(3.0 * np.sin(0.2) * np.array(column))
    write_series(
        tmp_path / "tilted",
        a_pattern((8, 24, 20)),
        axes=((1.0, 0.0, 0.0), column),
        spacing=(1.0, 1.0, 3.0 * np.cos(0.2)),
        shift=shift,
        origin=(8.0, -25.0, 30.0),
    )
    shown = medsegai("resample", ct[0], "-o", tmp_path / "out.nrrd", "--like", tmp_path / "tilted")
    assert shown.code == 0, shown.err
    assert read_volume(tmp_path / "out.nrrd").grid.same_frame(read_volume(tmp_path / "tilted").grid)


def test_a_dicom_folder(medsegai, data_folder, tmp_path):
    folder = data_folder / "tcia_brain_dicom/Study1/13_HCropVolume"
    for more in ((), ("--chunked",)):
        out = tmp_path / f"out{len(more)}.nrrd"
        shown = medsegai("resample", folder, "-o", out, "--spacing", "2,2,2", *more)
        assert shown.code == 0, shown.err
    np.testing.assert_array_equal(read_volume(tmp_path / "out0.nrrd").array, read_volume(tmp_path / "out1.nrrd").array)
    whole = read_volume(folder)
    wanted = resample(whole, grid_with_spacing(whole.grid, (2.0, 2.0, 2.0)), interpolation=Interpolation.LINEAR)
    assert np.abs(read_volume(tmp_path / "out0.nrrd").array - wanted.array).max() <= 0.501


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--spacing", "1,1"), "not three numbers"),
        (("--spacing", "0,1,1"), "not usable"),
        ((), "--spacing --like is required"),
        (("--spacing", "1,1,1", "--labels", "--interpolation", "bspline"), "B-splines"),
        (("--spacing", "1,1,1", "--labels", "--step", "ct-clip"), "for scans"),
        (("--spacing", "1,1,1", "--transform", "missing.tfm"), "no file 'missing.tfm'"),
        (("--spacing", "1,1,1", "--step", "ct-clip", "--chunked"), "Hounsfield units"),
        (("--spacing", "1,1,1", "--step", "n4", "--chunked", "--modality", "MR"), "looks at the whole scan"),
        (("--like", "missing.nrrd"), "no file or folder 'missing.nrrd'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_said_and_leaves_nothing(medsegai, ct, tmp_path, arguments, said):
    shown = medsegai("resample", ct[0], "-o", tmp_path / "out.nrrd", *arguments)
    assert shown.code == 2
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".nrrd") == ["ct.nrrd"]


def test_a_reference_elsewhere_and_an_ending_nobody_writes_are_refused(medsegai, ct, tmp_path):
    far = Volume(np.zeros((4, 4, 4), np.uint8), Grid((4, 4, 4), origin=(900.0, 0.0, 0.0)))
    sitk.WriteImage(far.to_sitk(), str(tmp_path / "far.nii"))
    for more in ((), ("--chunked",)):
        shown = medsegai("resample", ct[0], "-o", tmp_path / "out.nrrd", "--like", tmp_path / "far.nii", *more)
        assert shown.code == 2 and "lies elsewhere" in shown.err
    shown = medsegai("resample", ct[0], "-o", tmp_path / "out.jpg", "--spacing", "1,1,1", "--chunked")
    assert shown.code == 2 and "has no ending that can be written. Use one of: .nrrd" in shown.err
    assert medsegai("resample", tmp_path / "none.nrrd", "-o", tmp_path / "out.nrrd", "--spacing", "1,1,1").code == 2


def test_a_scan_is_not_named_like_a_segmentation_nor_labels_without_their_names(medsegai, ct, tmp_path):
    for more in ((), ("--labels", "--chunked")):
        shown = medsegai("resample", ct[0], "-o", tmp_path / "out.seg.nrrd", "--spacing", "1,1,1", *more)
        assert (shown.code, "named like a segmentation" in shown.err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["ct.nrrd"]


@pytest.mark.parametrize("value", ["nan", "inf", "air"])
def test_a_background_is_a_number(medsegai, ct, tmp_path, value):
    shown = medsegai("resample", ct[0], "-o", tmp_path / "out.nrrd", "--spacing", "1,1,1", "--background", value)
    assert (shown.code, f"'{value}' is not a number" in shown.err) == (2, True)


@pytest.mark.parametrize("more", [(), ("--chunked",)], ids=" ".join)
def test_a_background_that_the_scan_cannot_hold_is_refused(medsegai, ct, tmp_path, more):
    out = tmp_path / "out.nrrd"
    shown = medsegai("resample", ct[0], "-o", out, "--spacing", "1,1,1", "--background", "-40000", *more)
    assert (shown.code, "holds whole numbers from -32768 to 32767" in shown.err) == (2, True)
    assert not out.exists()


@pytest.mark.parametrize("more", [(), ("--chunked",)], ids=" ".join)
def test_only_what_is_done_now_is_told_and_all_is_kept(medsegai, ct, tmp_path, more):
    once, twice = tmp_path / "once.nrrd", tmp_path / "twice.nrrd"
    medsegai("resample", ct[0], "-o", once, "--spacing", "1,1,1")
    shown = medsegai("resample", once, "-o", twice, "--spacing", "2,2,2", *more)
    assert shown.out.count("Resampled from") == 1, shown.out
    assert [record.step for record in read_volume(twice).steps] == ["resample", "resample"]
