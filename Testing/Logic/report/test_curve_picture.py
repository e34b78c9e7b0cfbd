"""Curves are drawn where their figures say."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from MedSegAI.Logic.errors import DependencyError
from MedSegAI.Logic.report.curve_picture import DrawnCurves, draw_curves

BLUE = (0, 114, 178)


def curves(height: float) -> DrawnCurves:
    along = np.linspace(0, 1, 50)
    return DrawnCurves("ours", along, np.full(50, height), along, np.full(50, height), 0.1)


def blue_rows(picture: bytes, half: slice) -> np.ndarray:
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"), int)[:, half]
    near = np.abs(pixels - BLUE).sum(axis=2) < 40
    return np.flatnonzero(near.sum(axis=1) > 100)


def test_a_higher_curve_is_drawn_higher_on_both_sides():
    low, high = draw_curves([curves(0.5)]), draw_curves([curves(0.9)])
    width = Image.open(io.BytesIO(low)).width
    for half in (slice(0, width // 2), slice(width // 2, width)):
        assert blue_rows(high, half).min() < blue_rows(low, half).min() - 50


def test_more_curves_than_colours_can_be_drawn():
    assert draw_curves([curves(0.1 * n) for n in range(9)]).startswith(b"\x89PNG")
    assert draw_curves([]).startswith(b"\x89PNG")


def test_a_missing_matplotlib_is_told(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DependencyError, match="Figures need matplotlib"):
        draw_curves([curves(0.5)])
