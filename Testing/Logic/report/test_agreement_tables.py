"""Every figure of a case is one row of a table."""

from __future__ import annotations

import csv
import io

import pytest

from MedSegAI.Logic.report.agreement_tables import ALL_LABELS, ALL_RATERS, agreement_as_csv, agreement_rows


@pytest.fixture
def table(agreement) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(agreement_as_csv(agreement))))


def only(table, **wanted) -> dict[str, str]:
    (row,) = [row for row in table if all(row[key] == value for key, value in wanted.items())]
    return row


def test_a_figure_is_found_by_label_raters_and_measure(table, agreement):
    pair = agreement.labels[0].pairs[0]
    row = only(table, label="tumour", first="Ann", second="王医生", measure="dice")
    assert float(row["value"]) == pytest.approx(pair.dice.value, rel=1e-5)
    assert float(row["low"]) == pytest.approx(pair.dice.low, rel=1e-5)
    assert row["case"] == "case 7"
    assert only(table, label="tumour", first="Ann", second="王医生", measure="hd95_mm")["unit"] == "mm"


def test_all_pairs_and_the_consensus_are_there(table):
    pairs = {(row["first"], row["second"]) for row in table if row["label"] == "tumour" and row["measure"] == "dice"}
    assert len(pairs) == 3 + 3
    assert sum(second == "consensus" for _, second in pairs) == 3


def test_what_is_undefined_is_empty_not_zero(table):
    row = only(table, label="cyst", first=ALL_RATERS, measure="fleiss_kappa")
    assert row["value"] != "", "only Ann drew a cyst, so there is a kappa"
    row = only(table, label="cyst", first="王医生", second="consensus", measure="cohens_kappa")
    assert (row["value"], row["low"], row["high"]) == ("", "", "")


def test_estimates_of_the_fusion_are_rows_only_where_there_are_some(table):
    assert float(only(table, first="Ann", measure="estimated_sensitivity", label="tumour")["value"]) == 0.9
    assert sum(row["measure"] == "estimated_sensitivity" for row in table) == 1


def test_all_labels_at_once_come_last(agreement):
    rows = agreement_rows(agreement)
    assert [row.measure for row in rows[-2:]] == ["fleiss_kappa", "krippendorffs_alpha"]
    assert {row.label for row in rows[-5:]} == {ALL_LABELS}
