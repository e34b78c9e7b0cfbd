"""Curves as a page that needs nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.evaluation.case_curves import measure_case_curves
from MedSegAI.Logic.evaluation.curve_summary import PRECISION_AT, RATES_AT, CaseCurve, CurveSummary
from MedSegAI.Logic.files.score_table import ScoreTable
from MedSegAI.Logic.report.curve_report import draw_case_curves, write_voxel_curves


@pytest.fixture
def summary() -> CurveSummary:
    shape = RATES_AT**0.2
    cases = [CaseCurve(f"c{n}", "lump", 100, 20, 0.9, 0.8, shape, 1 - 0.5 * PRECISION_AT) for n in range(9)]
    return CurveSummary((*cases, CaseCurve("c9", "bump", 100, 0)), band_mm=5.0)


def test_page_picture_and_figures_are_written_together(summary, tmp_path):
    page = write_voxel_curves(tmp_path / "curves", summary, title="ours on <some> data")
    text = page.read_text()
    for part in ("ours on &lt;some&gt; data", "data:image/png;base64,", "lump", "at most 5 mm", "over subjects"):
        assert part in text, part
    assert "http" not in text.replace("http-equiv", "")
    with Image.open(tmp_path / "curves" / "curves.png") as picture:
        assert picture.size[0] > picture.size[1]
    assert json.loads((tmp_path / "curves" / "curves.json").read_text())["labels"]["lump"]["auc"] == pytest.approx(0.9)


def test_a_folder_in_use_is_left_alone(summary, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(StorageError, match="holds something already"):
        write_voxel_curves(tmp_path, summary, title="x")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["curves.png", "curves.html"])
def test_curves_of_a_table_go_into_one_file(tmp_path, name):
    truth = np.arange(40) < 15
    table = ScoreTable(truth, {"ours": truth + np.random.default_rng(0).normal(size=40)}, None)
    path = tmp_path / name
    draw_case_curves(path, table, measure_case_curves(table), title="scores")
    if name.endswith("png"):
        with Image.open(path) as picture:
            picture.verify()
    else:
        assert "DeLong" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]
