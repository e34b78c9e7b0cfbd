"""Columns line up."""

from __future__ import annotations

from MedSegAI.Logic.evaluation.plain_table import aligned, cell


def test_names_run_from_the_left_and_figures_from_the_right():
    text = aligned(["Case", "Dice"], [["a", "0.5"], ["longer", "0.25"]], [["mean", "0.375"]], names=1)
    assert text.splitlines() == [
        "Case     Dice",
        "-------------",
        "a         0.5",
        "longer   0.25",
        "-------------",
        "mean    0.375",
    ]


def test_a_table_without_a_foot_has_one_rule():
    assert len(aligned(["A"], [["b"]], names=1).splitlines()) == 3


def test_what_is_not_defined_is_a_dash():
    assert (cell(None), cell(0.5), cell(1.25, decimals=1)) == ("-", "0.5000", "1.2")
