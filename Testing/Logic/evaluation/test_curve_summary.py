"""Curves of many cases as one."""

from __future__ import annotations

import json

import numpy as np
import pytest

from MedSegAI.Logic.evaluation.curve_summary import PRECISION_AT, RATES_AT, CaseCurve, CurveSummary


def case(name: str, auc: float | None, label: str = "lump") -> CaseCurve:
    if auc is None:
        return CaseCurve(name, label, 100, 0)
    return CaseCurve(
        name, label, 100, 20, auc, auc / 2, np.full(RATES_AT.shape, auc), np.full(PRECISION_AT.shape, auc / 2)
    )


@pytest.fixture(scope="module")
def summary() -> CurveSummary:
    cases = [case(f"p{n // 2}_{n}", 0.9 + n / 1000) for n in range(20)]
    return CurveSummary((*cases, case("p10_x", None), case("p10_y", None, "bump")), subject_rule="^(p[0-9]+)_")


def test_areas_and_curves_are_means_over_the_cases_that_have_one(summary):
    lump, bump = summary.labels
    assert lump.auc.value == pytest.approx(0.9095)
    assert lump.auc.cases == 20
    assert lump.auc.low < lump.auc.value < lump.auc.high
    np.testing.assert_allclose(lump.true_positive_rate, 0.9095)
    assert lump.by_chance == pytest.approx(20 * 0.2 / 21)
    assert (bump.auc.value, bump.precision) == (None, None)


def test_the_text_says_which_voxels_counted(summary):
    assert "Every voxel that the network was shown" in summary.to_text()
    assert "Voxels at most 5 mm from the border" in CurveSummary(summary.cases, band_mm=5.0).to_text()
    row = next(line for line in summary.to_text().splitlines() if line.startswith("lump"))
    assert row.split()[1:3] == ["20", "0.90950"]


def test_json_holds_the_curves_and_each_case(summary):
    plain = json.loads(json.dumps(summary.to_plain()))
    assert plain["labels"]["lump"]["auc"] == pytest.approx(0.9095)
    assert len(plain["labels"]["lump"]["true_positive_rate"]) == len(plain["false_positive_rate"])
    assert plain["labels"]["bump"]["auc_interval"] is None
    assert len(plain["cases"]) == 22
