"""The chess board shows each scan in its own squares, and the picture is a file of real pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.report.alignment_picture import MOVING_TINT, REFERENCE_TINT, alignment_figure, chess_board
from MedSegAI.Logic.report.plane_drawing import write_figure
from MedSegAI.Logic.volume import Unit, Volume


def test_squares_are_of_the_one_and_the_other_scan_in_turn():
    board = chess_board(np.ones((80, 80)), np.full((80, 80), 0.5))
    np.testing.assert_allclose(board[0, 0], REFERENCE_TINT)
    np.testing.assert_allclose(board[0, 10], 0.5 * MOVING_TINT)
    np.testing.assert_allclose(board[10, 10], REFERENCE_TINT)
    assert (board == REFERENCE_TINT).all(-1).mean() == 0.5


def test_the_picture_shows_both_scans_before_and_after(tmp_path):
    grid = Grid((20, 24, 28), (2.0, 2.0, 3.0))
    reference = Volume(np.random.default_rng(0).uniform(size=grid.shape), grid, name="the T1")
    moving = replace(reference, grid=replace(grid, origin=(10.0, 0.0, 0.0)), unit=Unit.SUV_BODY_WEIGHT, name="the PET")
    figure = alignment_figure(reference, moving, replace(moving, grid=grid), sentence="It fits.")
    assert [axes.get_title(loc="left").split(",")[0] for axes in figure.axes][::3] == ["Before", "After"]
    before, after = (figure.axes[number].images[0].get_array() for number in (0, 3))
    assert np.abs(np.subtract(before, after)).max() > 0.1
    words = " ".join(text.get_text() for text in figure.texts)
    assert "the PET on the T1" in words and "It fits." in words
    long = replace(moving, name="MR of the head, FLAIR, the third series of the second visit")
    figure_of_long = alignment_figure(reference, moving, long, sentence=f"'{long.name}' fits.")
    words = " ".join(text.get_text() for text in figure_of_long.texts)
    assert long.name not in words and "'MR of the head, FLA...f the second visit' fits." in " ".join(words.split())
    write_figure(tmp_path / "both.png", figure)
    assert (tmp_path / "both.png").read_bytes().startswith(b"\x89PNG")
