"""A run's table becomes a picture, or a sentence says why not."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.learning_curve import draw_learning_curve

HEADER = "epoch,steps,seconds,seconds_per_step,learning_rate,train_loss,dice_anterior,dice_posterior,dice_mean\n"


def test_the_curve_of_a_run_is_a_png(tmp_path):
    table = tmp_path / "epochs.csv"
    table.write_text(HEADER + "1,70,30,0.4,0.001,1.5,,,\n2,140,60,0.4,0.001,0.9,0.5,0.6,0.55\n")
    draw_learning_curve(table, tmp_path / "curve.png", title="Tiny")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_without_a_validation_has_no_curve(tmp_path):
    (tmp_path / "epochs.csv").write_text(HEADER + "1,70,30,0.4,0.001,1.5,,,\n")
    with pytest.raises(InputError, match="holds no validation yet"):
        draw_learning_curve(tmp_path / "epochs.csv", tmp_path / "curve.png", title="Tiny")


def test_a_missing_table_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        draw_learning_curve(tmp_path / "epochs.csv", tmp_path / "curve.png", title="Tiny")
