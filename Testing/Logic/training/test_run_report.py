"""The report of a run says how it ended, how good it got, and by what configuration."""

from __future__ import annotations

import dataclasses
import re

import pytest

from MedSegAI.Logic.training.checkpoint import Progress
from MedSegAI.Logic.training.run_report import run_page, write_run_report
from MedSegAI.Logic.training.worst_cases import WorstCase

ROWS = [
    {"epoch": 1, "steps": 2, "learning_rate": 1e-3, "train_loss": 1.5},
    {
        **{"epoch": 2, "steps": 4, "learning_rate": 5e-4, "train_loss": 0.9},
        **{"dice_anterior": 0.7, "dice_posterior": 0.5, "dice_mean": 0.6},
    },
]
SCORES = [{"anterior": 0.9, "posterior": 0.8}, {"anterior": 0.5, "posterior": 0.2}]


@pytest.fixture
def progress() -> Progress:
    return Progress(
        step=4, seconds=3725.0, cpu_seconds=65.0, history=ROWS, best_dice=0.6, best_step=4, best_scores=SCORES
    )


def test_it_says_what_ended_the_run_and_what_was_reached_in_which_time(a_config, progress):
    page = run_page(a_config, progress, ending="Ended as planned.", case_names=["a", "b"], created="today")
    assert "<li>Ended as planned.</li>" in page
    assert "Best mean Dice of the 2 validation cases: 0.6000, after 4 steps" in page
    assert "4 steps of at most 4 steps: 1 h 02 min on the clock, 1 min 05 s of processor time" in page
    assert "Made today." in page


def test_cases_stand_in_a_table_with_the_lowest_first(a_config, progress):
    page = run_page(a_config, progress, ending="", case_names=["good", "bad"])
    rows = re.findall(r"<tr><th>(\w+)</th><td[^>]*>([\d.]+)</td><td[^>]*>([\d.]+)</td><td[^>]*>([\d.]+)</td>", page)
    assert rows == [("bad", "0.500", "0.200", "0.350"), ("good", "0.900", "0.800", "0.850")]


def test_it_shows_curves_and_pictures_and_fetches_nothing(a_config, progress):
    worst = WorstCase("bad <case>", 0.35, {"anterior": 0.5, "posterior": 0.2}, b"\x89PNG")
    page = run_page(a_config, progress, ending="", case_names=["a", "b"], worst_cases=[worst])
    assert page.count("<svg") == 3
    assert "bad &lt;case&gt;: Dice 0.350 (anterior 0.500, posterior 0.200)" in page
    assert 'src="data:image/png;base64,iVBORw==' in page
    assert not re.search(r'(src|href)="(?!data:)|<script|@import|url\(', page)


def test_it_holds_every_field_of_the_configuration(a_config, progress):
    page = run_page(a_config, progress, ending="", case_names=["a", "b"])
    for entry in dataclasses.fields(a_config):
        assert f"\n{entry.name}:" in page or f"<pre>{entry.name}:" in page


def test_a_run_that_was_stopped_before_its_first_validation_has_a_report_too(a_config, tmp_path):
    path = tmp_path / "report.html"
    write_run_report(path, a_config, Progress(step=1, seconds=7), ending="Stopped.", case_names=[], worst_cases=[])
    page = path.read_text(encoding="utf-8")
    assert "No validation was done yet." in page
    assert "7 s on the clock" in page
    assert "<svg" not in page
