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
