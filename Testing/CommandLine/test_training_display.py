"""A run can be followed: one living line on a terminal, now and then a plain one elsewhere, JSON for machines."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest

from MedSegAI.CommandLine.progress import ConsoleReporter, JsonReporter
from MedSegAI.CommandLine.training_display import TrainingDisplay, duration, step_in_words
from MedSegAI.Logic.training.watching import StepFacts

FACTS = StepFacts(12, 500, 3, 0.71234, 1e-3, 2.5, 195.2, 0.8712)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("TERM", "xterm-256color")


def test_a_terminal_shows_epoch_loss_rate_pace_and_best_dice_beside_the_bar(wide):
    with ConsoleReporter(Terminal()) as reporter:
        reporter.progress(12, 500, "training")
        TrainingDisplay(reporter).step(FACTS)
        reporter._bars.refresh()
        shown = reporter._stream.getvalue()
    assert "epoch 3, loss 0.7123, rate 1.00e-03, 2.50 steps/s, best Dice 0.8712" in shown
    assert "12/500" in shown


def test_elsewhere_a_plain_line_is_written_now_and_then():
    stream = io.StringIO()
    display = TrainingDisplay(ConsoleReporter(stream), seconds_between_lines=0.0)
    display.step(FACTS)
    assert stream.getvalue() == (
        "Step 12 of 500: epoch 3, loss 0.7123, rate 1.00e-03, 2.50 steps/s, best Dice 0.8712, about 3 min 15 s left.\n"
    )
    quiet = io.StringIO()
    TrainingDisplay(ConsoleReporter(quiet)).step(FACTS)
    assert quiet.getvalue() == ""


def test_machines_read_every_step():
    stream = io.StringIO()
    TrainingDisplay(JsonReporter(stream)).step(FACTS)
    assert json.loads(stream.getvalue()) == {"training": dataclasses.asdict(FACTS)}


def test_before_the_first_validation_there_is_no_best_dice():
    assert "Dice" not in step_in_words(dataclasses.replace(FACTS, best_dice=None))


@pytest.mark.parametrize(("seconds", "words"), [(9.6, "10 s"), (195.2, "3 min 15 s"), (7260, "2 h 01 min")])
def test_times_are_told_in_their_two_largest_units(seconds, words):
    assert duration(seconds) == words
