"""``medsegai evaluate``: a model on labelled cases, as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from Testing.CommandLine.conftest import MODEL_NAME

METRICS = {"dice", "sensitivity", "specificity", "ppv", "npv", "hd95_mm"}


@pytest.fixture
def split(hippocampus_folder: Path, tmp_path: Path) -> Path:
    names = json.loads((hippocampus_folder / "split.json").read_text())["val"]
    (tmp_path / "two.json").write_text(json.dumps({"val": names[:2]}))
    return tmp_path / "two.json"


def test_every_case_and_the_mean_are_measured_shown_and_written(medsegai, hippocampus_folder, split, tmp_path):
    table = tmp_path / "table.json"
    shown = medsegai(
        *("evaluate", "--model", MODEL_NAME, "--dataset", hippocampus_folder, "--split", split),
        *("--subset", "val", "-o", table),
    )
    assert shown.code == 0, shown.err
    names = json.loads(split.read_text())["val"]
    for word in (*names, "mean of 2", "HD95 mm", "PPV", "NPV", "Seconds"):
        assert word in shown.out
    written = json.loads(table.read_text())
    assert [case["case"] for case in written["cases"]] == names
    assert set(written["mean"]["anterior_hippocampus"]) >= METRICS
    for case in written["cases"]:
        assert case["seconds"] > 0
        assert 0 <= case["labels"]["posterior_hippocampus"]["dice"] <= 1


def test_machines_get_the_same_table_and_progress_in_cases(medsegai, hippocampus_folder, split):
    shown = medsegai("evaluate", "--model", MODEL_NAME, "--dataset", hippocampus_folder, "--split", split, "--json")
    assert shown.code == 0, shown.err
    assert json.loads(shown.out)["case_count"] == 2
    assert {"progress": {"stage": "evaluating", "done": 2, "total": 2}} in map(json.loads, shown.err.splitlines())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--subset", "test"], "test"),
        (["--split", "absent.json"], "absent.json"),
        (["--dataset", "absent"], "absent"),
        (["--model", "liver"], "no model 'liver'"),
        (["--overlap", "-1"], "overlap"),
        (["-o", "table.txt"], "no ending"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_sentence(
    medsegai, hippocampus_folder, split, tmp_path, monkeypatch, options, sentence
):
    monkeypatch.chdir(tmp_path)
    usual = ("--model", MODEL_NAME, "--dataset", hippocampus_folder, "--split", split)
    shown = medsegai("evaluate", *usual, *options)
    assert shown.code == 2
    assert sentence in shown.err
    assert not Path("table.txt").exists()


def test_two_tables_are_compared_case_by_case(medsegai, tmp_path):
    from MedSegAI.Logic.models.registry import SHIPPED_MODELS

    ours = SHIPPED_MODELS / "hippocampus-mr" / "validation.json"
    content = json.loads(ours.read_text())
    for case in content["cases"]:
        case["labels"]["anterior_hippocampus"]["dice"] -= 0.02
    theirs = tmp_path / "theirs.json"
    theirs.write_text(json.dumps(content | {"model": "theirs"}))
    written = tmp_path / "compared.json"
    shown = medsegai("evaluate", "--compare", ours, theirs, "--metrics", "dice, ppv", "-o", written)
    assert shown.code == 0, shown.err
    for word in ("A: hippocampus-mr", "B: theirs", "p (Holm)", "4 tests were made"):
        assert word in shown.out
    first = json.loads(written.read_text())["scores"][0]
    assert first["difference"] == pytest.approx(0.02)
    assert first["cases"] == 62
    assert first["holm_p"] < 1e-9


def test_scores_depend_on_the_settings_and_are_gathered_by_subject(medsegai, hippocampus_folder, split):
    shown = medsegai(
        *("evaluate", "--model", MODEL_NAME, "--dataset", hippocampus_folder, "--split", split, "--json"),
        *("--tolerance", "50", "--lesion-iou", "0.5", "--subjects", "^(hippocampus)"),
    )
    plain = json.loads(shown.out)
    assert plain["mean"]["posterior_hippocampus"]["surface_dice"] == 1.0
    assert plain["scoring"] == {"tolerance_mm": 50.0, "lesion_iou": 0.5}
    assert (plain["case_count"], plain["subject_count"]) == (2, 1)


def test_curves_of_the_voxels_go_into_a_folder(medsegai, hippocampus_folder, split, tmp_path):
    shown = medsegai(
        *("evaluate", "--model", MODEL_NAME, "--dataset", hippocampus_folder, "--split", split),
        *("--curves", tmp_path / "curves", "--band", "5"),
    )
    assert shown.code == 0, shown.err
    assert "AUC" in shown.out
    assert "Voxels at most 5 mm" in shown.out
    figures = json.loads((tmp_path / "curves" / "curves.json").read_text())
    assert {case["label"] for case in figures["cases"]} == {"anterior_hippocampus", "posterior_hippocampus"}
    assert 0 < figures["labels"]["anterior_hippocampus"]["auc"] < 1
    again = medsegai(
        *("evaluate", "--model", MODEL_NAME, "--dataset", hippocampus_folder, "--split", split),
        *("--curves", tmp_path / "curves"),
    )
    assert again.code == 2
    assert "holds something already" in again.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--model", "m"], "--dataset, --split"),
        (["--compare", "a.json", "b.json"], "'a.json' cannot be read"),
        (["--compare", "a.json", "b.json", "--model", "m"], "--model does not go with --compare"),
        (["--compare", "a.json", "b.json", "-o", "a.json"], "is the input itself"),
    ],
)
def test_options_that_do_not_go_together_are_told(medsegai, tmp_path, monkeypatch, options, sentence):
    monkeypatch.chdir(tmp_path)
    shown = medsegai("evaluate", *options)
    assert shown.code == 2
    assert sentence in shown.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--metrics", "dice"], "--metrics goes with --compare"),
        (["--band", "5"], "--band goes with --curves"),
        (["--tolerance", "-1"], "tolerance"),
        (["--subjects", "patient"], "finds no subject"),
        (["--curves", "c", "--band", "0"], "band of 0.0 mm"),
    ],
)
def test_settings_that_cannot_be_used_are_told_before_anything_is_segmented(
    medsegai, hippocampus_folder, split, tmp_path, monkeypatch, options, sentence
):
    monkeypatch.chdir(tmp_path)
    usual = ("--model", MODEL_NAME, "--dataset", hippocampus_folder, "--split", split)
    shown = medsegai("evaluate", *usual, *options)
    assert shown.code == 2
    assert sentence in shown.err
