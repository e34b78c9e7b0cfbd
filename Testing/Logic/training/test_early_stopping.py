"""A run ends once patience is over, and only improvements that are large enough give it more."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.config import EarlyStoppingConfig
from MedSegAI.Logic.training.early_stopping import Watch


def validations_until_over(values: list[float], rules: EarlyStoppingConfig) -> int | None:
    watch = Watch()
    for number, value in enumerate(values, start=1):
        watch = watch.after(value, rules)
        if watch.is_over(rules):
            return number
    return None


@pytest.mark.parametrize(
    ("rules", "values", "ends_at"),
    [
        (EarlyStoppingConfig(patience=2), [0.5, 0.6, 0.6, 0.5, 0.9], 4),
        (EarlyStoppingConfig(patience=2), [0.5, 0.4, 0.6, 0.5, 0.7], None),
        (EarlyStoppingConfig(patience=2, min_delta=0.05), [0.5, 0.52, 0.54, 0.9], 3),
        (EarlyStoppingConfig(patience=2, min_delta=0.03), [0.5, 0.52, 0.54, 0.56], None),
        (EarlyStoppingConfig(patience=1, monitor="train_loss", mode="min"), [0.5, 0.4, 0.41], 3),
        (EarlyStoppingConfig(patience=0), [0.5] * 100, None),
    ],
)
def test_a_run_ends_after_patience_without_an_improvement(rules, values, ends_at):
    assert validations_until_over(values, rules) == ends_at


def test_a_mode_that_ends_a_run_when_it_gets_better_is_refused():
    with pytest.raises(InputError, match=r"early_stopping.mode is 'min', .* val_dice gets better. Write 'max'"):
        EarlyStoppingConfig(mode="min")
