"""``medsegai evaluate roc``: curves of a table of scores."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def table(tmp_path):
    random = np.random.default_rng(0)
    truth = np.arange(80) < 35
    ours, theirs = truth + random.normal(size=80), 0.4 * truth + random.normal(size=80)
    lines = [f"{int(t)},{a:.3f},{b:.3f},p{n // 2}" for n, (t, a, b) in enumerate(zip(truth, ours, theirs))]
    (tmp_path / "scores.csv").write_text("malignant,ours,theirs,patient\n" + "\n".join(lines) + "\n")
    return tmp_path / "scores.csv"


def test_areas_intervals_and_the_test_are_shown_and_written(medsegai, table, tmp_path):
    shown = medsegai(
        *("evaluate", "roc", table, "--truth", "malignant", "--score", "ours", "--score", "theirs"),
        *("--plot", tmp_path / "curves.png", "-o", tmp_path / "figures.json"),
    )
    assert shown.code == 0, shown.err
    for word in ("AUC", "Av. precision", "p (DeLong)", "35", "45", "Written"):
        assert word in shown.out
    figures = json.loads((tmp_path / "figures.json").read_text())
    ours = figures["scores"]["ours"]["auc"]
    assert ours["low"] < ours["value"] < ours["high"]
    assert figures["tests"][0]["difference"] == pytest.approx(
        ours["value"] - figures["scores"]["theirs"]["auc"]["value"]
    )
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > 800


def test_a_page_needs_nothing_else(medsegai, table, tmp_path):
    shown = medsegai(
        *("evaluate", "roc", table, "--truth", "malignant", "--score", "ours", "--subject", "patient"),
        *("--plot", tmp_path / "curves.html", "--json"),
    )
    assert shown.code == 0, shown.err
    page = (tmp_path / "curves.html").read_text()
    assert "data:image/png;base64," in page
    assert "malignant in scores.csv" in page
    assert "Several cases of one subject" in page
    assert json.loads(shown.out)["tests"] == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--truth", "malignant"), "No score was named"),
        (("--truth", "benign", "--score", "ours"), "no column 'benign'"),
        (("--score", "ours"), "--truth"),
        (("--truth", "malignant", "--score", "ours", "--plot", "curves.pdf"), "no ending"),
        (("--truth", "malignant", "--score", "ours", "-o", "scores.csv"), "no ending"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_sentence(medsegai, table, monkeypatch, options, sentence):
    monkeypatch.chdir(table.parent)
    shown = medsegai("evaluate", "roc", table, *options)
    assert shown.code == 2
    assert sentence in shown.err


def test_cases_of_one_class_are_refused_with_a_sentence(medsegai, table):
    table.write_text("malignant,ours\n1,0.5\n1,0.7\n")
    shown = medsegai("evaluate", "roc", table, "--truth", "malignant", "--score", "ours")
    assert shown.code == 2
    assert "None of the 2 cases is negative" in shown.err
