"""``medsegai standardise``: a scan through steps, with its record, its picture and what the steps found beside it."""

from __future__ import annotations

import json

import numpy as np
import pydicom
import pytest

from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.write import write_volume
from MedSegAI.Logic.standardise.catalogue import step_kinds
from MedSegAI.Logic.standardise.mr.nyul import Nyul
from MedSegAI.Logic.volume import Modality, Unit


@pytest.fixture
def refused(medsegai, tmp_path):
    """Run something that must be refused in one sentence with nothing written; returns the sentence."""

    def run(*arguments):
        before = sorted(tmp_path.rglob("*"))
        shown = medsegai("standardise", *arguments)
        assert (shown.code, shown.out) == (2, "")
        assert len(shown.err.strip().splitlines()) == 1
        assert sorted(tmp_path.rglob("*")) == before
        return shown.err

    return run


def test_steps_are_done_in_order_told_and_kept_with_the_scan(medsegai, crop, tmp_path):
    out = tmp_path / "out.nrrd"
    shown = medsegai("standardise", crop, "-o", out, "--step", "percentile:clip=True", "--step", "z-score")
    assert shown.code == 0, shown.err
    assert [line.partition(":")[0] for line in shown.out.splitlines()] == [
        "Percentiles to 0..1",
        "Robust z-score",
        "Written",
    ]
    back = read_volume(out)
    assert [record.step for record in back.steps] == ["percentile", "z-score"]
    assert abs(float(np.median(back.array))) < 0.01
    assert back.grid.same_frame(read_volume(crop).grid)


def test_a_second_run_adds_to_the_record(medsegai, crop, tmp_path):
    once, twice = tmp_path / "once.nrrd", tmp_path / "twice.nrrd"
    medsegai("standardise", crop, "-o", once, "--step", "percentile", "--modality", "MR")
    facts = json.loads(medsegai("standardise", once, "-o", twice, "--step", "z-score", "--json").out)
    assert [record["step"] for record in facts["steps"]] == ["z-score"]
    back = read_volume(twice)
    assert [record.step for record in back.steps] == ["percentile", "z-score"]
    assert back.modality is Modality.MR


def test_for_machines_there_is_one_object(medsegai, crop, tmp_path):
    out = tmp_path / "out.nrrd"
    facts = json.loads(medsegai("standardise", crop, "-o", out, "--step", "z-score", "--json").out)
    assert facts["files"] == {"scan": str(out)}
    assert facts["unit"] == {"before": "arbitrary", "after": "arbitrary"}
    assert facts["can_be_undone"] is True
    assert set(facts["steps"][0]) == {"step", "sentence", "settings", "figures"}


def test_a_file_without_a_place_for_the_record_says_so(medsegai, crop, tmp_path):
    shown = medsegai("standardise", crop, "-o", tmp_path / "out.nii.gz", "--step", "z-score")
    assert "no place for the record" in shown.out


def test_picture_and_extras_are_written(medsegai, crop, tmp_path):
    picture, extras = tmp_path / "picture.png", tmp_path / "extras"
    arguments = ("--step", "n4:shrink=4,iterations=5", "--picture", picture, "--extras", extras)
    shown = medsegai("standardise", crop, "-o", tmp_path / "out.nrrd", *arguments)
    assert shown.code == 0, shown.err
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in extras.iterdir()] == ["log-bias-field.nrrd"]
    field = read_volume(extras / "log-bias-field.nrrd")
    assert field.grid.same_frame(read_volume(crop).grid)


def test_that_nothing_was_found_beside_the_scan_is_said(medsegai, crop, tmp_path):
    extras = tmp_path / "extras"
    shown = medsegai("standardise", crop, "-o", tmp_path / "out.nrrd", "--step", "z-score", "--extras", extras)
    assert "No step found anything beside the scan." in shown.out


def test_a_reference_is_named_by_its_file(medsegai, hippocampus_crops, tmp_path):
    out = tmp_path / "out.nrrd"
    reference = hippocampus_crops[1].image
    shown = medsegai(
        "standardise", hippocampus_crops[0].image, "-o", out, "--step", f"histogram-match:reference={reference}"
    )
    assert shown.code == 0, shown.err
    wanted = np.median(read_volume(reference).array)
    assert np.median(read_volume(out).array) == pytest.approx(wanted, rel=0.05)


def test_landmarks_are_learned_stored_and_used(medsegai, hippocampus_crops, tmp_path):
    landmarks, out = tmp_path / "landmarks.json", tmp_path / "out.nrrd"
    images = [crop.image for crop in hippocampus_crops]
    learned = medsegai("standardise", "--train-nyul", landmarks, *images)
    assert learned.code == 0, learned.err
    assert learned.out.startswith("Landmarks of 4 scans on a scale of 0 to 100: 0.0, ")
    assert Nyul.from_json(landmarks.read_text()).scans == 4
    shown = medsegai("standardise", images[0], "-o", out, "--step", f"nyul:landmarks={landmarks}")
    assert shown.code == 0, shown.err
    assert "landmarks of 4 scans" in shown.out
    low, high = np.percentile(read_volume(out).array, (1, 99))
    assert (low, high) == pytest.approx((0, 100), abs=1)


def test_a_pet_series_becomes_suv(medsegai, data_folder, tmp_path):
    """The real slice, stacked to a series of three."""
    folder = tmp_path / "pet"
    folder.mkdir()
    dataset = pydicom.dcmread(data_folder / "pet_suv" / "acrin_flt_breast" / "1.dcm")
    for number in range(3):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
        dataset.ImagePositionPatient[2] = -278.5 + 5 * number
        dataset.save_as(folder / f"{number}.dcm")
    out = tmp_path / "suv.nrrd"
    shown = medsegai("standardise", folder, "-o", out, "--step", "suv", "--picture", tmp_path / "suv.png")
    assert shown.code == 0, shown.err
    factor = 69734.4 / (178340011.59668 * 2 ** (-3976.921 / 6586.2))
    assert f"SUVbw by a factor of {factor:.6g}" in shown.out
    back = read_volume(out)
    assert (back.unit, back.modality) == (Unit.SUV_BODY_WEIGHT, Modality.PET)
    assert back.array.max() == pytest.approx(1327 * 9.12329 * factor, rel=1e-5)


def test_the_steps_are_listed_for_a_kind_of_scan(medsegai):
    shown = medsegai("standardise", "--list", "--modality", "PT")
    assert "suv" in shown.out and "by=bw" in shown.out and "n4" not in shown.out
    facts = json.loads(medsegai("standardise", "--list", "--json").out)
    assert [entry["step"] for entry in facts["steps"]] == list(step_kinds())
    settings = {entry["step"]: entry["settings"] for entry in facts["steps"]}
    assert settings["nyul"] == {"landmarks": "FILE"}
    assert settings["histogram-match"]["reference"] == "FILE"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "One scan is needed, and 0 were given"),
        (["a.nrrd", "b.nrrd"], "One scan is needed, and 2 were given"),
        (["a.nrrd"], "Where the scan goes is missing"),
        (["a.nrrd", "-o", "out.nrrd"], "No step was asked for"),
        (["--list", "a.nrrd"], "INPUT does not go with --list"),
        (["--list", "--step", "n4"], "--step does not go with --list"),
        (["--train-nyul", "l.json", "a.nrrd", "-o", "out.nrrd"], "--output does not go with --train-nyul"),
        (["--train-nyul", "l.json"], "--train-nyul needs scans"),
        (["--train-nyul", "l.json", "a.nrrd", "--modality", "CT"], "is a CT scan, and 'Histogram landmarks (Nyul)' is"),
        (["a.nrrd", "-o", "out.nrrd", "--step", "sharpen"], "There is no step 'sharpen'"),
        (["a.nrrd", "-o", "out.nrrd", "--step", "n4:speed=1"], "'n4' has no setting 'speed'"),
        (["a.nrrd", "-o", "out.nrrd", "--step", "n4:4"], "'4' in 'n4:4' is no setting"),
        (["a.nrrd", "-o", "out.jpg", "--step", "n4"], "no ending that can be written"),
        (["a.nrrd", "-o", "out.nrrd", "--step", "n4", "--picture", "p.jpg"], "no ending that can be written"),
        (["a.nrrd", "-o", "out.nrrd", "--step", "n4", "--extras", "gone/extras"], "there is no folder 'gone'"),
        (["a.nrrd", "-o", "out.nrrd", "--step", "nyul:landmarks=gone.json"], "There is no file 'gone.json'"),
        (["gone.nrrd", "-o", "out.nrrd", "--step", "n4"], "There is no file or folder 'gone.nrrd'"),
        (["a.nrrd", "-o", "out.nrrd", "--step", "suv"], "comes without its DICOM header"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(refused, crop, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    for name in ("a.nrrd", "b.nrrd"):
        write_volume(name, read_volume(crop))
    assert sentence in refused(*arguments)


def test_the_input_is_not_overwritten(refused, crop):
    assert "is the input itself" in refused(crop, "-o", crop, "--step", "z-score")


def test_extras_that_name_a_file_are_refused_before_the_work(refused, crop, tmp_path):
    (tmp_path / "there.txt").touch()
    for extras in ("there.txt", "out.nrrd"):
        message = refused(crop, "-o", tmp_path / "out.nrrd", "--step", "z-score", "--extras", tmp_path / extras)
        assert f"--extras '{tmp_path / extras}' is a file, not a folder. Name a folder, which is made." in message


def test_a_scan_is_not_named_like_a_segmentation(refused, crop, tmp_path):
    assert "named like a segmentation" in refused(crop, "-o", tmp_path / "out.seg.nrrd", "--step", "z-score")
