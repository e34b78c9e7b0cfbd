"""A scan is shown in the window that its unit asks for."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.report.display_window import DisplayWindow, display_window
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Unit, Volume

SHAPE = (10, 10, 10)


def of(values, unit=Unit.ARBITRARY, **fields):
    array = np.resize(np.asarray(values), SHAPE)
    return display_window(Volume(array, Grid(SHAPE, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)), unit=unit, **fields))


def test_a_ct_shows_soft_tissue():
    assert of([-1000.0, 3000.0], Unit.HOUNSFIELD) == DisplayWindow(-160, 240)


@pytest.mark.parametrize(("hottest", "high"), [(1.0, 2.5), (6.0, 6.0), (80.0, 10.0)])
def test_uptake_is_dark_and_ends_within_reason(hottest, high):
    assert of([0.0, hottest], Unit.SUV_BODY_WEIGHT) == DisplayWindow(0, high, dark_is_high=True)


def test_other_pet_values_end_at_the_hottest():
    assert of([0.0, 30000.0], Unit.ACTIVITY) == DisplayWindow(0, 30000, dark_is_high=True)
    assert of([-1.0, 0.0], Unit.COUNTS) == DisplayWindow(0, 1, dark_is_high=True)


def test_a_scan_of_unknown_unit_shows_what_is_brighter_than_the_outside():
    values = np.concatenate([np.zeros(500), np.linspace(100, 200, 500)])
    window = of(values)
    assert window.low == pytest.approx(0.2 * window.high)
    assert window.high == pytest.approx(199.5, abs=0.2)
    assert of([7.0]) == DisplayWindow(7, 8)


def test_what_a_window_made_is_shown_whole():
    steps = (StepRecord("window", "Window."),)
    assert of([0.3, 0.5], steps=steps) == DisplayWindow(0, 1)
    assert of(np.array([3, 5], np.uint8), steps=steps) == DisplayWindow(0, 255)
