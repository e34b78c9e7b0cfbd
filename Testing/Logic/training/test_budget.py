"""A run ends with whichever of its limits comes first."""

from __future__ import annotations

import dataclasses

import pytest

from MedSegAI.Logic.training.budget import Budget


def test_the_limits_are_those_of_the_configuration(a_config):
    assert Budget.of(a_config) == Budget(4, None)
    assert Budget.of(dataclasses.replace(a_config, total_steps=None, cpu_minutes=2.0)) == Budget(None, 120.0)


@pytest.mark.parametrize(
    ("budget", "step", "cpu_seconds", "share"),
    [
        (Budget(10, None), 5, 1e9, 0.5),
        (Budget(None, 60.0), 10**9, 15.0, 0.25),
        (Budget(10, 60.0), 5, 15.0, 0.5),
        (Budget(10, 60.0), 1, 30.0, 0.5),
        (Budget(10, 60.0), 20, 0.0, 1.0),
    ],
)
def test_the_nearer_limit_counts(budget, step, cpu_seconds, share):
    assert budget.share(step, cpu_seconds) == share
    assert budget.is_used_up(step, cpu_seconds) == (share == 1.0)


def test_steps_are_guessed_from_what_steps_have_cost_where_time_is_the_limit():
    assert Budget(None, 60.0).expected_steps(5, 15.0) == 20
    assert Budget(7, None).expected_steps(0, 0.0) == 7
    assert Budget(None, 60.0).expected_steps(0, 0.0) == 0


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (Budget(1, None), "1 step"),
        (Budget(7000, 1800.0), "7000 steps or 30 minutes of processor time"),
    ],
)
def test_limits_are_told_in_words(budget, words):
    assert budget.sentence == words
