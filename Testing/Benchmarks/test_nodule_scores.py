from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from MedSegAI.Logic.training.nodules.case import NoduleCase, Source
from Testing.Benchmarks.nodule_report import END, START, write_report
from Testing.Benchmarks.nodule_scores import (
    CONSENSUS,
    OTHERS,
    clicks_of,
    radiologist_rows,
    read_rows,
    rows_of,
    write_rows,
)
from Testing.Benchmarks.nodule_spheres import best_radius, sphere_at_click, sphere_of_true_size_and_place
from Testing.Logic.training.nodules.conftest import nodule_case


@pytest.fixture
def case() -> NoduleCase:
    return nodule_case(radii=(6.0, 6.0, 6.0, 6.0))


def test_a_cube_is_clicked_at_five_errors_in_two_directions_and_a_slice_case_once(case: NoduleCase) -> None:
    errors = [error for error, _ in clicks_of(case, 0)]
    assert errors == [0.0, 0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1.0, 1.0]
    slices = nodule_case(source=Source.SLICES)
    assert [clicks_of(slices, place)[0][0] for place in range(5)] == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_a_sphere_of_the_true_size_and_place_is_nearly_the_ball_and_one_at_the_click_worsens_with_its_error(
    case: NoduleCase,
) -> None:
    told = [row for row in rows_of(sphere_of_true_size_and_place, [case]) if row.against == CONSENSUS]
    assert min(row.dice for row in told) > 0.97
    at_click = [row.dice for row in rows_of(sphere_at_click(6.0), [case]) if row.against == CONSENSUS]
    assert len(at_click) == 5 and at_click == sorted(at_click, reverse=True) and at_click[-1] < 0.5


def test_the_best_radius_of_equal_balls_is_near_theirs(case: NoduleCase) -> None:
    still = nodule_case(radii=(6.0, 6.0, 6.0, 6.0), source=Source.SLICES)
    assert best_radius([still]) == pytest.approx(6.0, abs=0.5)


def test_readers_who_agree_meet_the_consensus_of_the_others_entirely(case: NoduleCase) -> None:
    (row,) = radiologist_rows([case])
    assert row.dice == 1.0 and row.hd95_mm == 0.0 and row.error is None
    assert radiologist_rows([nodule_case(radii=(5.0, 6.0, 7.0))]) == []


def test_a_click_at_which_nothing_is_found_counts_as_missed(case: NoduleCase) -> None:
    rows = rows_of(lambda one, _click: np.zeros_like(one.consensus), [case])
    assert {row.against for row in rows} == {CONSENSUS, OTHERS}
    assert all(row.dice == 0.0 and row.hd95_mm is None and row.missed == row.clicks for row in rows)


def test_rows_read_back_as_written_and_make_a_report(case: NoduleCase, tmp_path: Path) -> None:
    rows = rows_of(sphere_of_true_size_and_place, [case])
    write_rows(tmp_path / "results" / "sphere.json", rows, {"title": "Sphere"})
    write_rows(tmp_path / "results" / "radiologist.json", radiologist_rows([case]), {"title": "Radiologist"})
    again, facts = read_rows(tmp_path / "results" / "sphere.json")
    assert facts == {"title": "Sphere"} and [row.case for row in again] == [row.case for row in rows]
    assert [row.dice for row in again] == pytest.approx([row.dice for row in rows], abs=1e-4)
    document = tmp_path / "document.md"
    document.write_text(f"Before.\n{START}\nold\n{END}\nAfter.\n")
    write_report(tmp_path / "results", document)
    text = document.read_text()
    assert "Sphere" in text and "old" not in text and text.startswith("Before.") and text.endswith("After.\n")
    assert (tmp_path / "pictures" / "nodule-click-error.png").stat().st_size > 1000
    assert "cubes,consensus,dice" in (tmp_path / "results" / "table.csv").read_text()
